import { timestamp } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { KubeObject, ResourceName, ResourceStore } from '../store/types.ts';
import { catalogOf } from './catalog.ts';
import { badRequest, conflict, notFound } from './status.ts';
import type { Subject } from './status.ts';

export interface DeletionOptions {
  readonly gracePeriodSeconds?: number;
  /** Default Background, but Orphan for Jobs, as upstream. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface Deletion {
  /** The object as it is now, or as it was when it went. */
  readonly object: KubeObject;
  /** False: it is marked, and goes when finalizers, grace or contents are gone. */
  readonly removed: boolean;
}

export interface DeletionTarget {
  readonly resource: ResourceName;
  readonly namespace: string | undefined;
  readonly name: string;
}

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
const DEFAULT_GRACE_SECONDS = 30;

/**
 * The graceful protocol, for the API and for controllers alike: an object without finalizers goes at once; otherwise it
 * is marked with `deletionTimestamp` and whoever takes the last finalizer away calls `finishDeletion`.
 * - Pods that run somewhere are marked with their grace; the kubelet asks again with a grace of 0 when its containers are gone.
 * - Namespaces become Terminating; the namespace controller removes them when they are empty.
 * - Foreground and Orphan are left as the finalizers `foregroundDeletion` and `orphan` to the garbage collector.
 * Asking again is no error.
 * @throws ApiFault 404, and 409 when a precondition does not hold
 */
export function requestDeletion(
  context: { readonly store: ResourceStore; readonly clock: Clock },
  target: DeletionTarget,
  options: DeletionOptions = {},
): Deletion {
  const { store, clock } = context;
  const subject = subjectOf(store, target.resource);
  const stored = store.get(target.resource, target.namespace, target.name);
  if (!stored) throw notFound(subject, target.name);
  checkPreconditions(subject, stored, options.preconditions);
  if (options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0) {
    throw badRequest('gracePeriodSeconds: must be greater than or equal to 0');
  }
  const marked = mark(target.resource, stored, { ...options, nowMs: clock.now() });
  if (goesNow(target.resource, marked)) {
    return { object: store.remove(target.resource, target.namespace, target.name), removed: true };
  }
  return { object: store.update(target.resource, marked), removed: false };
}

/**
 * Call after a write that may have taken the last finalizer away: removes the object when it was only waiting for that.
 * True when it did.
 */
export function finishDeletion(store: ResourceStore, resource: ResourceName, object: KubeObject): boolean {
  if (object.metadata.deletionTimestamp === undefined || !goesNow(resource, object)) return false;
  store.remove(resource, object.metadata.namespace, object.metadata.name);
  return true;
}

function subjectOf(store: ResourceStore, resource: ResourceName): Subject {
  return catalogOf(store).byStorage(resource) ?? { group: '', plural: resource, kind: resource };
}

function checkPreconditions(
  subject: Subject,
  stored: KubeObject,
  wanted: DeletionOptions['preconditions'],
): void {
  const { uid, resourceVersion, name } = stored.metadata;
  if (wanted?.uid !== undefined && wanted.uid !== uid) {
    throw conflict(
      subject,
      name,
      `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`,
    );
  }
  if (wanted?.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    throw conflict(
      subject,
      name,
      `Precondition failed: ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    );
  }
}

function mark(
  resource: ResourceName,
  stored: KubeObject,
  options: DeletionOptions & { readonly nowMs: number },
): KubeObject {
  const metadata = { ...stored.metadata };
  const finalizers = withPolicy(resource, metadata.finalizers ?? [], options.propagationPolicy);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const grace = resource === 'pods' ? podGrace(stored, options.gracePeriodSeconds) : 0;
  const present = metadata.deletionGracePeriodSeconds;
  if (metadata.deletionTimestamp === undefined || grace < (present ?? 0)) {
    if (metadata.deletionTimestamp === undefined && metadata.generation !== undefined)
      metadata.generation += 1;
    metadata.deletionTimestamp = timestamp(options.nowMs + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
  }
  const marked: KubeObject = { ...stored, metadata };
  if (resource === 'namespaces') {
    delete metadata.deletionGracePeriodSeconds;
    marked.status = { ...stored.status, phase: 'Terminating' };
  }
  return marked;
}

function withPolicy(
  resource: ResourceName,
  finalizers: readonly string[],
  policy: DeletionOptions['propagationPolicy'],
): string[] {
  const orphans = resource === 'jobs.batch' && !finalizers.includes(FOREGROUND);
  const effective = policy ?? (orphans ? 'Orphan' : undefined);
  if (effective === undefined) return [...finalizers];
  const others = finalizers.filter((name) => name !== FOREGROUND && name !== ORPHAN);
  if (effective === 'Foreground') others.push(FOREGROUND);
  if (effective === 'Orphan') others.push(ORPHAN);
  return others;
}

/** Nobody has to stop the containers of a pod that was never bound to a node, or whose containers have ended. */
function podGrace(pod: KubeObject, asked: number | undefined): number {
  const spec = pod.spec ?? {};
  const phase = pod.status?.['phase'];
  if (!spec['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0;
  if (asked !== undefined) return asked;
  const own = spec['terminationGracePeriodSeconds'];
  return typeof own === 'number' ? own : DEFAULT_GRACE_SECONDS;
}

function goesNow(resource: ResourceName, object: KubeObject): boolean {
  if (resource === 'namespaces') return false;
  if ((object.metadata.finalizers ?? []).length > 0) return false;
  return resource !== 'pods' || (object.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}
