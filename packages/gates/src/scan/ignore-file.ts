import { parse } from 'yaml';
import { messageOf } from '@updraft/kit';
import { parseDay, pathPattern } from './acceptance.ts';
import type { Acceptance, Acceptances } from './acceptance.ts';
import { parsePurl } from './purl.ts';
import { list, object } from './json.ts';
import type { Json } from './json.ts';

/** An ignore file, in whichever of its two forms its name says. */
export function readIgnoreFile(text: string, name: string): Acceptances {
  return /\.ya?ml$/.test(name) ? parseIgnoreYaml(text, name) : parseIgnoreFile(text, name);
}

/** `.trivyignore`: an id a line, `#` comments, ` exp:YYYY-MM-DD`. The comment right above an id is its reason. */
export function parseIgnoreFile(text: string, source: string): Acceptances {
  const entries: Acceptance[] = [];
  const problems: string[] = [];
  let comment: string[] = [];
  text.split('\n').forEach((written, index) => {
    const line = written.trim();
    if (line.startsWith('#')) comment.push(line.replace(/^#+\s*/, ''));
    else if (line === '') comment = [];
    else {
      const entry = parseLine(line, source, comment.join(' '));
      if (entry === undefined)
        problems.push(`line ${index + 1}: ${line} is not understood and accepts nothing`);
      else entries.push(entry);
    }
  });
  return { entries, problems };
}

function parseLine(line: string, source: string, comment: string): Acceptance | undefined {
  const [words = '', behind] = line.split(/\s+#\s*/, 2);
  const [id = '', ...options] = words.trim().split(/\s+/);
  const expiry = options.find((option) => option.startsWith('exp:'));
  const expiresMs = expiry === undefined ? undefined : parseDay(expiry.slice('exp:'.length));
  const isOdd =
    options.some((option) => option !== expiry) || (expiry !== undefined && expiresMs === undefined);
  const reason = behind ?? (comment === '' ? undefined : comment);
  return isOdd ? undefined : { id, source, expiresMs, reason };
}

/** Sections of entries with `id`, `paths`, `purls`, `expired_at` and `statement`. */
function parseIgnoreYaml(text: string, source: string): Acceptances {
  const problems: string[] = [];
  try {
    const root = object(parse(text, { maxAliasCount: 0 }));
    const entries = SECTIONS.flatMap(([section, kind]) =>
      list(root[section]).flatMap((entry, index) => {
        const where = `${section}[${index}]`;
        return readEntry(object(entry), { source, ...(kind && { kind }) }, (why) =>
          problems.push(`${where}: ${why}`),
        );
      }),
    );
    const known: readonly string[] = SECTIONS.map(([section]) => section);
    for (const key of Object.keys(root))
      if (!known.includes(key)) problems.push(`the section ${key} is not known`);
    return { entries, problems };
  } catch (error) {
    return { entries: [], problems: [`it is not YAML: ${messageOf(error)}`] };
  }
}

/** Misconfigurations and licences are not looked for here, so accepting them does no harm. */
const SECTIONS = [
  ['vulnerabilities', 'vulnerability'],
  ['secrets', 'secret'],
  ['misconfigurations', undefined],
  ['licenses', undefined],
] as const;

function readEntry(
  entry: Json,
  base: Pick<Acceptance, 'source' | 'kind'>,
  complain: (why: string) => void,
): readonly Acceptance[] {
  if (base.kind === undefined) return [];
  const id = entry['id'];
  if (typeof id !== 'string') return refuse(complain, 'it has no id and accepts nothing');
  const expiry = entry['expired_at'];
  const expiresMs = expiry === undefined ? undefined : parseDay(dayOf(expiry));
  if (expiry !== undefined && expiresMs === undefined) {
    return refuse(complain, 'expired_at is no day (YYYY-MM-DD); it accepts nothing');
  }
  const purls = list(entry['purls']).map((purl) => parsePurl(String(purl)));
  if (purls.includes(undefined)) return refuse(complain, 'one of its purls is none; it accepts nothing');
  const paths = list(entry['paths']).map((path) => pathPattern(String(path)));
  const reason = typeof entry['statement'] === 'string' ? entry['statement'] : undefined;
  return [
    {
      ...base,
      id,
      expiresMs,
      reason,
      ...(paths.length > 0 && { paths }),
      ...(purls.length > 0 && { packages: purls.filter((purl) => purl !== undefined) }),
    },
  ];
}

function refuse(complain: (why: string) => void, why: string): readonly Acceptance[] {
  complain(why);
  return [];
}

const dayOf = (value: unknown): string =>
  value instanceof Date ? value.toISOString().slice(0, 10) : String(value).slice(0, 10);
