import type { KubeObject } from '../../store/types.ts';
import { isRecord } from '../schema/conform.ts';
import { compareFields, fieldsOf } from './field-set.ts';
import type { FieldSet } from './field-set.ts';

/** Where `kubectl apply` without `--server-side` keeps what it was given. */
const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** The one who may go over from the one way of applying to the other. */
const MANAGER = 'kubectl';
/** All annotations of an object together. */
const MAX_BYTES = 256 * 1024;

const NOTHING: FieldSet = new Set();

/**
 * What kubectl applied on its own side and nobody has changed since: when it goes over to server-side apply, these fields
 * are its own though they stand under another name. For other managers none.
 */
export function fieldsAppliedBefore(
  manager: string,
  live: KubeObject | undefined,
  definition: string,
): FieldSet {
  const text = annotationsOf(live)[ANNOTATION];
  if (manager !== MANAGER || !live || typeof text !== 'string') return NOTHING;
  const applied = parsed(text);
  if (!isRecord(applied) || applied['apiVersion'] !== live.apiVersion) return NOTHING;
  const { changed, removed } = compareFields(applied, live, definition);
  return new Set([...fieldsOf(applied, definition)].filter((key) => !changed.has(key) && !removed.has(key)));
}

/** Keeps the annotation true, so that kubectl may go back to applying on its own side. */
export function withLastApplied(manager: string, object: KubeObject, applied: KubeObject): KubeObject {
  const annotations = annotationsOf(object);
  if (manager !== MANAGER || annotations[ANNOTATION] === undefined) return object;
  const { [ANNOTATION]: _former, ...given } = annotationsOf(applied);
  const text = sortedJson({ ...applied, metadata: { ...applied.metadata, annotations: given } });
  const { [ANNOTATION]: _old, ...others } = annotations;
  const kept = { ...others, [ANNOTATION]: `${text}\n` };
  const bytes = Object.entries(kept).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  return { ...object, metadata: { ...object.metadata, annotations: bytes > MAX_BYTES ? others : kept } };
}

const annotationsOf = (object: KubeObject | undefined): Readonly<Record<string, string>> =>
  object?.metadata.annotations ?? {};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Keys in order, as kubectl writes them: the same object is always the same text. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isRecord(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
