import type { RunInstruction, Word } from '@updraft/dockerfile';
import { nearest } from '@updraft/kit';
import type { Scope } from '../scope.ts';
import { fail, isTrue, readFields } from './mount-fields.ts';
import type { MountFields } from './mount-fields.ts';
import { nameOf } from './names.ts';

interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** `RUN --mount=…`, understood. */
export type RunMount =
  | (Ownership & {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readOnly: boolean;
      /** What an empty cache starts with. */
      readonly from: string | undefined;
      readonly source: string;
    })
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly from: string | undefined;
      readonly source: string;
      readonly writable: boolean;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes: number | undefined }
  | (Ownership & {
      readonly type: 'secret';
      readonly id: string;
      readonly target: string | undefined;
      readonly variable: string | undefined;
      readonly required: boolean;
    })
  | (Ownership & {
      readonly type: 'ssh';
      readonly id: string;
      /** undefined: a place of the builder's choice. */
      readonly target: string | undefined;
      readonly required: boolean;
    });

const TYPES = ['bind', 'cache', 'secret', 'ssh', 'tmpfs'] as const;
type MountType = (typeof TYPES)[number];

/** Options that mean something only for some types: for the others they are an error. */
const ONLY_FOR: Readonly<Record<string, readonly MountType[]>> = {
  mode: ['secret', 'ssh', 'cache'],
  uid: ['secret', 'ssh', 'cache'],
  gid: ['secret', 'ssh', 'cache'],
  required: ['secret', 'ssh'],
  sharing: ['cache'],
  size: ['tmpfs'],
  env: ['secret'],
  from: ['bind', 'cache', 'tmpfs', 'ssh'],
};

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
  const type = mountType(flag, fields.get('type') ?? 'bind');
  const misplaced = Object.keys(ONLY_FOR).find((name) => fields.has(name) && !ONLY_FOR[name]?.includes(type));
  if (misplaced !== undefined) fail(flag, `a ${type} mount has no option ${misplaced}`);
  const written = fields.get('target') ?? '';
  const chosen = written === '' ? undefined : nameOf(workingDir, written);
  if (type === 'secret') return secretMount(flag, fields, chosen);
  if (type === 'ssh') return sshMount(flag, fields, chosen);
  const target = chosen ?? nameOf(workingDir, '');
  if (target === '/') fail(flag, 'a mount cannot take the place of the whole root');
  if (type === 'cache') return cacheMount(flag, fields, target);
  if (type === 'tmpfs') return { type, target, sizeBytes: size(flag, fields.get('size')) };
  return bindMount(flag, fields, target);
}

function bindMount(flag: Word, fields: MountFields, target: string): RunMount {
  const writable = fields.has('readonly') && !isOn(flag, fields, 'readonly');
  return { type: 'bind', target, from: fields.get('from'), source: fields.get('source') ?? '/', writable };
}

function mountType(flag: Word, text: string): MountType {
  const known = TYPES.find((type) => type === text.toLowerCase());
  if (known) return known;
  const near = nearest(text, TYPES);
  const hint = near === undefined ? `known are ${TYPES.join(', ')}` : `did you mean ${near}?`;
  return fail(flag, `there is no mount type ${text}; ${hint}`);
}

function cacheMount(flag: Word, fields: MountFields, target: string): RunMount {
  const sharing = (fields.get('sharing') ?? 'shared').toLowerCase();
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') {
    return fail(flag, `sharing is shared, private or locked, not ${sharing}`);
  }
  return {
    type: 'cache',
    target,
    id: fields.get('id') || target,
    sharing,
    readOnly: isOn(flag, fields, 'readonly'),
    from: fields.get('from'),
    source: fields.get('source') ?? '/',
    ...ownership(flag, fields, 0o755),
  };
}

function secretMount(flag: Word, fields: MountFields, target: string | undefined): RunMount {
  const [id, source] = [fields.get('id') || undefined, fields.get('source') || undefined];
  if (id !== undefined && source !== undefined) fail(flag, 'of id and source, a secret takes one');
  const named = id ?? source ?? target?.split('/').at(-1) ?? fail(flag, 'a secret mount needs id=…');
  const variable = fields.get('env');
  return {
    type: 'secret',
    id: named,
    target: target ?? (variable === undefined ? `/run/secrets/${named.split('/').at(-1)}` : undefined),
    variable,
    required: isOn(flag, fields, 'required'),
    ...ownership(flag, fields, 0o400),
  };
}

function sshMount(flag: Word, fields: MountFields, target: string | undefined): RunMount {
  return {
    type: 'ssh',
    id: fields.get('id') || fields.get('source') || 'default',
    target,
    required: isOn(flag, fields, 'required'),
    ...ownership(flag, fields, 0o600),
  };
}

function ownership(flag: Word, fields: MountFields, mode: number): Ownership {
  const number = (name: string, base: 8 | 10, otherwise: number) => {
    const text = fields.get(name);
    if (text === undefined) return otherwise;
    const isNumber = (base === 8 ? /^[0-7]{1,6}$/ : /^\d{1,10}$/).test(text);
    return isNumber ? Number.parseInt(text, base) : fail(flag, `${name}=${text} is no number`);
  };
  return { mode: number('mode', 8, mode), uid: number('uid', 10, 0), gid: number('gid', 10, 0) };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

function size(flag: Word, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!match) return fail(flag, `size=${text} is no size; write it like 64m`);
  return Math.floor(Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 1));
}

function isOn(flag: Word, fields: MountFields, name: string): boolean {
  const text = fields.get(name);
  return text !== undefined && isTrue(flag, name, text);
}
