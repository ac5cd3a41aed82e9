import { duration } from './keywords/common.ts';
import { anything, filledText, flag, mapOf, oneOrList, record, refuse, report } from './keywords/readers.ts';
import type { Reader, Scope } from './keywords/readers.ts';
import { includeRules } from './keywords/rules.ts';
import type { Rule } from './keywords/rules.ts';
import { child, isText } from './tree.ts';
import type { MapTree, Mark } from './tree.ts';

/** What `include` names, variables still in it. */
export type IncludeTarget =
  | { readonly kind: 'local' | 'template' | 'component'; readonly location: string }
  | {
      readonly kind: 'remote';
      readonly location: string;
      readonly integrity: string | undefined;
      readonly maxAgeSeconds: number | undefined;
    }
  | {
      readonly kind: 'project';
      readonly project: string;
      readonly ref: string | undefined;
      readonly files: readonly string[];
    }
  | { readonly kind: 'artifact'; readonly job: string; readonly location: string };

/** One entry of `include`. */
export interface IncludeEntry {
  readonly at: Mark;
  readonly target: IncludeTarget;
  readonly rules: readonly Rule[] | undefined;
  /** What the file's header gets. */
  readonly inputs: MapTree | undefined;
}

const KINDS = ['local', 'project', 'remote', 'template', 'component', 'artifact'] as const;
const HOUR = 3600;
const MINUTE = 60;

const integrity: Reader<string> = (tree, scope) =>
  isText(tree) && /^sha256-[A-Za-z0-9+/]{43}=$/.test(tree.value)
    ? tree.value
    : refuse(scope, tree, 'sha256- and the hash as base64');

/** In seconds; `false` means as often as needed. */
const maxAge: Reader<number> = (tree, scope) => {
  if (tree.kind === 'leaf' && typeof tree.value === 'boolean') return flag(tree, scope) ? HOUR : 0;
  const seconds = duration(tree, scope);
  return seconds !== undefined && seconds < MINUTE ? refuse(scope, tree, 'at least one minute') : seconds;
};

const entryFields = record({
  local: filledText,
  project: filledText,
  file: oneOrList(filledText, { min: 1 }),
  ref: filledText,
  remote: filledText,
  template: filledText,
  component: filledText,
  artifact: filledText,
  job: filledText,
  integrity,
  cache: maxAge,
  inputs: mapOf(anything),
  rules: includeRules,
});

/** Keys that belong to one kind of entry only, and whether that kind must have them. */
const COMPANIONS = [
  { key: 'file', kind: 'project', needed: true },
  { key: 'ref', kind: 'project', needed: false },
  { key: 'job', kind: 'artifact', needed: true },
  { key: 'integrity', kind: 'remote', needed: false },
  { key: 'cache', kind: 'remote', needed: false },
] as const;

/** Reads one entry; a bare text is an address or a path. */
export const includeEntry: Reader<IncludeEntry> = (tree, scope) => {
  if (isText(tree)) return textEntry(tree.value, tree.at);
  const read = entryFields(tree, scope);
  if (!read || tree.kind !== 'map') return undefined;
  const kind = kindOf(tree, scope);
  const target = kind && targetOf(kind, read);
  if (!target) return undefined;
  const inputs = child(tree, 'inputs');
  return { at: tree.at, target, rules: read.rules, inputs: inputs?.kind === 'map' ? inputs : undefined };
};

const headerFields = record({
  local: filledText,
  remote: filledText,
  integrity,
  project: filledText,
  file: oneOrList(filledText, { min: 1 }),
  ref: filledText,
});

/** An entry of `spec:include`: fewer kinds, and no inputs of its own. */
export const headerInclude: Reader<IncludeEntry> = (tree, scope) => {
  if (!isText(tree) && !headerFields(tree, scope)) return undefined;
  return includeEntry(tree, scope);
};

function textEntry(location: string, at: Mark): IncludeEntry {
  const target: IncludeTarget = /^https?:\/\//i.test(location)
    ? { kind: 'remote', location, integrity: undefined, maxAgeSeconds: undefined }
    : { kind: 'local', location };
  return { at, target, rules: undefined, inputs: undefined };
}

function kindOf(tree: MapTree, scope: Scope): (typeof KINDS)[number] | undefined {
  const kinds = KINDS.filter((kind) => tree.entries.has(kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const orphan = COMPANIONS.find((one) => one.needed && tree.entries.has(one.key));
    const message =
      kind === undefined && orphan
        ? `${scope.keyword}:${orphan.kind} is missing beside ${orphan.key}`
        : `an entry must have exactly one of ${KINDS.join(', ')}`;
    return report(scope, 'include-invalid', tree.at, message);
  }
  for (const companion of COMPANIONS) checkCompanion(tree, { ...companion, given: kind }, scope);
  return kind;
}

interface Companion {
  readonly key: string;
  readonly kind: string;
  readonly needed: boolean;
  readonly given: string;
}

function checkCompanion(tree: MapTree, { key, kind, needed, given }: Companion, scope: Scope): void {
  const written = tree.entries.get(key);
  if (written && kind !== given) {
    const message = `${scope.keyword}:${key} is for ${scope.keyword}:${kind} only`;
    report(scope, 'conflicting-keywords', written.at, message);
  }
  if (!written && needed && kind === given) {
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:${key} is missing beside ${kind}`);
  }
}

type ReadEntry = NonNullable<ReturnType<typeof entryFields>>;

function targetOf(kind: (typeof KINDS)[number], read: ReadEntry): IncludeTarget | undefined {
  const location = kind === 'project' ? read.project : read[kind];
  if (location === undefined) return undefined;
  switch (kind) {
    case 'project':
      return read.file && { kind, project: location, ref: read.ref, files: read.file };
    case 'remote':
      return { kind, location, integrity: read.integrity, maxAgeSeconds: read.cache };
    case 'artifact':
      return read.job === undefined ? undefined : { kind, job: read.job, location };
    default:
      return { kind, location };
  }
}

/** The shape of `include` alone, for the lint that opens no other file. */
export const includeShape: Reader<unknown> = oneOrList(includeEntry);
