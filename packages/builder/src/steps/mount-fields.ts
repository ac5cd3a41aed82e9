import type { Word } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import type { Scope } from '../scope.ts';
import { nearest } from '@updraft/kit';

/** The options of a `--mount`, variables replaced. */
export type MountFields = ReadonlyMap<string, string>;

const ALIASES: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  ro: 'readonly',
  readwrite: 'rw',
};
const KNOWN =
  'type from source target readonly rw id sharing required mode uid gid size env src dst destination ro readwrite'.split(
    ' ',
  );
/** They may stand without a value. */
const FLAGS = new Set(['readonly', 'rw', 'required']);

/** @throws BuildFailure */
export function readFields(flag: Word, scope: Scope): MountFields {
  const fields = new Map<string, string>();
  for (const field of commaSeparated(flag)) {
    const equals = field.indexOf('=');
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const name = ALIASES[written] ?? written;
    if (!KNOWN.includes(name)) unknown(flag, written);
    if (equals < 0 && !FLAGS.has(name)) fail(flag, `${field} needs a value`);
    const value = equals < 0 ? 'true' : field.slice(equals + 1);
    // Which stages a build needs is decided before any variable has a value.
    if (name === 'from' && /\$./.test(value))
      fail(flag, 'from= takes no variables; give the image a stage of its own');
    fields.set(name, scope.word({ text: value, range: flag.range }));
    // Readonly and writable are the two ends of one switch: the last one given counts.
    if (name === 'rw') fields.set('readonly', String(!isTrue(flag, 'rw', fields.get('rw') ?? '')));
  }
  return fields;
}

function unknown(flag: Word, name: string): never {
  const near = nearest(name, KNOWN);
  return fail(flag, `there is no option ${name}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

/** As in a CSV file: a field in double quotes may hold commas, and quotes that are doubled. */
function commaSeparated(flag: Word): string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let more = true; more;) {
    const match = pattern.exec(flag.text);
    if (!match) return fail(flag, `${flag.text} is not a list of options`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    more = match[3] === ',';
  }
  return fields;
}

export function isTrue(flag: Word, name: string, text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  return fail(flag, `${name} is true or false, not ${text}`);
}

export function fail(flag: Word, message: string): never {
  throw new BuildFailure(`--mount: ${message}`, flag.range);
}
