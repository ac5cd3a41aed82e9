import type { LayerEntry } from '../content/entry.ts';
import type { Severity } from '../severity.ts';
import { EXAMPLES, SECRET_RULES } from './rules.table.ts';
import type { SecretRule } from './rules.table.ts';

/** A secret in a file. Never holds the secret itself, so it can be kept and shown. */
export interface FoundSecret {
  readonly ruleId: string;
  readonly category: string;
  readonly title: string;
  readonly severity: Severity;
  readonly path: string;
  readonly line: number;
  /** The line with the secret starred out, shortened. */
  readonly match: string;
}

const MAX_BYTES = 4 * 1024 * 1024;
const MIN_BYTES = 10;

/** Places where what looks like a secret is an example, a test or somebody else's file: as the original has them. */
const SKIPPED = new RegExp(
  [
    '^(?:proc|sys|dev)/',
    '^usr/(?:share|include|lib)/',
    '^usr/(?:local/go|src/wordpress)/|^usr/local/lib/python[\\d.]+/|^opt/yarn-v[\\d.]+/|^var/log/anaconda/',
    '^var/lib/(?:dpkg|apt)/',
    '(?:^|/)(?:node_modules|\\.git|vendor)/',
    '/locales?/',
    '^[Tt][Ee][Ss][Tt]|/test|-test|_test|\\.test',
    'example',
  ].join('|'),
);

const SKIPPED_FILES =
  /\.(?:png|jpe?g|gif|ico|webp|svg|bmp|pdf|docx?|xlsx?|pptx?|zip|t?gz|bz2|xz|zst|7z|tar|jar|whl|deb|rpm|apk|so|a|o|pyc|class|woff2?|ttf|eot|mp[34]|wav|avi|mov|db|sqlite3?|mo|md|map)$|(?:^|\/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml)$/i;

/** Is it worth a look for secrets at all? Decided by path and size. */
export function mayHoldSecrets({ path, kind, size }: LayerEntry): boolean {
  if (kind !== 'file' || size < MIN_BYTES || size > MAX_BYTES) return false;
  return !SKIPPED.test(path) && !SKIPPED_FILES.test(path);
}

/** The secrets in a file. Binary files have none. */
export function findSecrets(path: string, content: Buffer): readonly FoundSecret[] {
  if (content.subarray(0, 8192).includes(0)) return [];
  // Bytes as they are: positions stay right whatever the encoding.
  const text = content.toString('latin1');
  const lower = text.toLowerCase();
  return SECRET_RULES.filter((rule) => rule.path === undefined || rule.path.test(path))
    .filter(({ keywords }) => keywords.some((keyword) => lower.includes(keyword.toLowerCase())))
    .flatMap((rule) => matches(rule, path, text));
}

function matches(rule: SecretRule, path: string, text: string): readonly FoundSecret[] {
  return [...text.matchAll(rule.pattern)].flatMap((match) => {
    const secret = match.groups?.['secret'] ?? match[0];
    if (EXAMPLES.test(secret)) return [];
    const { id, category, title, severity } = rule;
    const line = text.slice(0, match.index).split('\n').length;
    return [{ ruleId: id, category, title, severity, path, line, match: redacted(text, match, secret) }];
  });
}

const SHOWN_CHARACTERS = 100;
const STARS = 20;

/** What the rule matched, the secret as stars, behind the name it is given to. The rest of the line may be another secret. */
function redacted(text: string, match: RegExpExecArray, secret: string): string {
  const lineStart = text.lastIndexOf('\n', match.index) + 1;
  const before = text.slice(Math.max(lineStart, match.index - SHOWN_CHARACTERS), match.index);
  const name = /[A-Za-z_][\w.-]{0,40}["']?[ \t]?[:=][ \t]?["']?$/.exec(before)?.[0] ?? '';
  const starred = match[0].replaceAll(secret, '*'.repeat(Math.min(secret.length, STARS)));
  return (name + starred).replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, SHOWN_CHARACTERS);
}
