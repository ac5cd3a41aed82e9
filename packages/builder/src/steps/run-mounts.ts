import type { RunInstruction, Word } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import type { Scope } from '../scope.ts';
import { nameOf } from './names.ts';

/** `RUN --mount=…`, understood. */
export type RunMount =
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readOnly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly from: string | undefined;
      readonly source: string;
      readonly writable: boolean;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes: number | undefined }
  | {
      readonly type: 'secret';
      readonly id: string;
      readonly target: string | undefined;
      readonly variable: string | undefined;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  cache: ['target', 'id', 'sharing', 'readonly', 'mode', 'uid', 'gid', 'from', 'source'],
  bind: ['target', 'from', 'source', 'rw', 'readonly'],
  tmpfs: ['target', 'size'],
  secret: ['target', 'id', 'env', 'required', 'mode', 'uid', 'gid'],
};

const ALIASES: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  ro: 'readonly',
  readwrite: 'rw',
};

const FLAGS = new Set(['readonly', 'rw', 'required']);

/**
 * Reads the mounts of a RUN.
 * @throws BuildFailure at the flag that is wrong
 */
export function readMounts(instruction: RunInstruction, scope: Scope, workingDir: string): RunMount[] {
  return instruction.flags
    .filter((flag) => flag.name === 'mount')
    .map((flag) => readMount({ text: flag.value ?? '', range: flag.range }, scope, workingDir));
}

function readMount(flag: Word, scope: Scope, workingDir: string): RunMount {
  const fields = readFields(flag, scope);
  const type = fields.get('type') ?? 'bind';
  checkFields(flag, type, fields);
  const written = fields.get('target');
  const target = written === undefined ? undefined : nameOf(workingDir, written);
  if (type === 'secret') return secretMount(flag, fields, target);
  if (target === undefined) return fail(flag, `a ${type} mount needs target=…`);
  if (target === '/') fail(flag, 'a mount cannot take the place of the whole root');
  if (type === 'cache') return cacheMount(flag, fields, target);
  return type === 'tmpfs' ? tmpfsMount(flag, fields, target) : bindMount(flag, fields, target);
}

function checkFields(flag: Word, type: string, fields: ReadonlyMap<string, string>): void {
  if (type === 'ssh') fail(flag, 'mounts of type ssh are not supported yet; use a secret');
  const allowed =
    FIELDS[type] ?? fail(flag, `there is no mount type ${type}; known are bind, cache, secret, tmpfs`);
  for (const name of fields.keys()) {
    if (name !== 'type' && !allowed.includes(name)) fail(flag, `a ${type} mount has no option ${name}`);
  }
}

function tmpfsMount(flag: Word, fields: ReadonlyMap<string, string>, target: string): RunMount {
  return { type: 'tmpfs', target, sizeBytes: size(flag, fields.get('size')) };
}

function bindMount(flag: Word, fields: ReadonlyMap<string, string>, target: string): RunMount {
  const writable = isOn(flag, fields, 'rw', false);
  return { type: 'bind', target, from: fields.get('from'), source: fields.get('source') ?? '/', writable };
}

function cacheMount(flag: Word, fields: ReadonlyMap<string, string>, target: string): RunMount {
  if (fields.has('from') || fields.has('source'))
    fail(flag, 'a cache mount that starts from files is not supported yet');
  const sharing = fields.get('sharing') ?? 'shared';
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') {
    return fail(flag, `sharing is shared, private or locked, not ${sharing}`);
  }
  return {
    type: 'cache',
    target,
    id: fields.get('id') ?? target,
    sharing,
    readOnly: isOn(flag, fields, 'readonly', false),
    ...ownership(flag, fields, 0o755),
  };
}

function secretMount(flag: Word, fields: ReadonlyMap<string, string>, target: string | undefined): RunMount {
  const id = fields.get('id') ?? target?.split('/').at(-1) ?? fail(flag, 'a secret mount needs id=…');
  const variable = fields.get('env');
  return {
    type: 'secret',
    id,
    target: target ?? (variable === undefined ? `/run/secrets/${id}` : undefined),
    variable,
    required: isOn(flag, fields, 'required', false),
    ...ownership(flag, fields, 0o400),
  };
}

function ownership(flag: Word, fields: ReadonlyMap<string, string>, mode: number) {
  const number = (name: string, base: number, otherwise: number) => {
    const text = fields.get(name);
    if (text === undefined) return otherwise;
    const value = Number.parseInt(text, base);
    return /^\d+$/.test(text) && !Number.isNaN(value) ? value : fail(flag, `${name}=${text} is no number`);
  };
  return { mode: number('mode', 8, mode), uid: number('uid', 10, 0), gid: number('gid', 10, 0) };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function size(flag: Word, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)([bkmg]?)b?$/i.exec(text);
  if (!match) return fail(flag, `size=${text} is no size; write it like 64m`);
  return Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 1);
}

function isOn(flag: Word, fields: ReadonlyMap<string, string>, name: string, otherwise: boolean): boolean {
  const text = fields.get(name);
  if (text === undefined) return otherwise;
  if (text === '' || text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  return fail(flag, `${name} is true or false, not ${text}`);
}

function readFields(flag: Word, scope: Scope): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of flag.text.split(',')) {
    const equals = field.indexOf('=');
    const written = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    const name = ALIASES[written] ?? written;
    if (equals < 0 && !FLAGS.has(name)) fail(flag, `${field} needs a value`);
    const value = equals < 0 ? '' : field.slice(equals + 1);
    fields.set(name, scope.word({ text: value, range: flag.range }));
  }
  return fields;
}

function fail(flag: Word, message: string): never {
  throw new BuildFailure(`--mount: ${message}`, flag.range);
}
