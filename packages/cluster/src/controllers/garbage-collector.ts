import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, OwnerReference, ResourceName, WatchEvent } from '../store/types.ts';
import type { Controller, ControllerContext } from './controller.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

interface Place {
  readonly resource: ResourceName;
  readonly namespace: string | undefined;
  readonly name: string;
}

const keyOfPlace = (resource: ResourceName, { metadata }: KubeObject) =>
  `${resource}|${metadata.namespace ?? ''}|${metadata.name}`;

function placeOf(key: string): Place {
  const [resource = '', namespace = '', name = ''] = key.split('|');
  return { resource, namespace: namespace === '' ? undefined : namespace, name };
}

/** Who depends on whom, by the owner's uid. */
class Dependents {
  readonly #byOwner = new Map<string, Set<string>>();
  /** Owners that went while something depended on them: their kind may not be served any more when somebody asks. */
  readonly #gone = new Set<string>();

  note(event: WatchEvent): void {
    const { object, previous, type } = event;
    const key = keyOfPlace(event.resource, object);
    for (const { uid } of previous?.metadata.ownerReferences ?? []) this.#forget(uid, key);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      if (type === 'DELETED') this.#forget(uid, key);
      else this.#byOwner.set(uid, (this.#byOwner.get(uid) ?? new Set()).add(key));
    }
    if (type === 'DELETED' && this.#byOwner.has(object.metadata.uid)) this.#gone.add(object.metadata.uid);
  }

  of(uid: string): string[] {
    return [...(this.#byOwner.get(uid) ?? [])];
  }

  isGone(uid: string): boolean {
    return this.#gone.has(uid);
  }

  #forget(owner: string, key: string): void {
    const keys = this.#byOwner.get(owner);
    keys?.delete(key);
    if (keys?.size !== 0) return;
    this.#byOwner.delete(owner);
    this.#gone.delete(owner);
  }
}

/** Deletes what has lost all its owners, and carries out foreground and orphaning deletion. */
export function garbageCollector(context: ControllerContext): Controller {
  const dependents = new Dependents();
  return {
    name: 'garbage-collector',
    resources: 'all',
    keys: (event) => {
      dependents.note(event);
      return interesting(context, dependents, event);
    },
    reconcile: (key) => reconcile(context, dependents, key),
  };
}

function interesting(context: ControllerContext, dependents: Dependents, event: WatchEvent): string[] {
  const { object, resource, type, previous } = event;
  const { metadata } = object;
  if (type === 'DELETED')
    return [...dependents.of(metadata.uid), ...waitingOwners(context, dependents, object)];
  const held =
    metadata.finalizers?.some((finalizer) => finalizer === FOREGROUND || finalizer === ORPHAN) === true;
  const owned = (metadata.ownerReferences ?? []).length > 0;
  const own =
    owned || (held && metadata.deletionTimestamp !== undefined) ? [keyOfPlace(resource, object)] : [];
  // Who is not owned or does not block any more may have been the last that an owner waited for.
  const freed = previous !== undefined && !isDeepStrictEqual(ownersOf(previous), ownersOf(object));
  return freed ? [...own, ...waitingOwners(context, dependents, previous)] : own;
}

const ownersOf = ({ metadata }: KubeObject) => metadata.ownerReferences ?? [];

/** Owners that wait for this dependent to go before they go themselves. */
function waitingOwners(context: ControllerContext, dependents: Dependents, dependent: KubeObject): string[] {
  return ownersOf(dependent).flatMap((reference) => {
    const owner = findOwner(context, dependents, dependent, reference);
    return typeof owner === 'object' && owner.object.metadata.deletionTimestamp !== undefined
      ? [keyOfPlace(owner.resource, owner.object)]
      : [];
  });
}

/** The owner; 'absent' when it is gone for sure; 'unknown' when this cluster cannot tell. */
function findOwner(
  context: ControllerContext,
  dependents: Dependents,
  dependent: KubeObject,
  reference: OwnerReference,
): { resource: ResourceName; object: KubeObject } | 'absent' | 'unknown' {
  const resource = context.catalog.byKind(reference.apiVersion, reference.kind);
  if (resource === undefined) return dependents.isGone(reference.uid) ? 'absent' : 'unknown';
  const namespaced = context.catalog.all().find(({ name }) => name === resource)?.namespaced === true;
  if (namespaced && dependent.metadata.namespace === undefined) return 'unknown';
  const namespace = namespaced ? dependent.metadata.namespace : undefined;
  const object = context.objects.store.get(resource, namespace, reference.name);
  return object?.metadata.uid === reference.uid ? { resource, object } : 'absent';
}

function reconcile(context: ControllerContext, dependents: Dependents, key: string): void {
  const place = placeOf(key);
  const object = context.objects.store.get(place.resource, place.namespace, place.name);
  if (!object) return;
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp !== undefined) {
    if (finalizers.includes(ORPHAN)) orphanDependents(context, dependents, place, object);
    else if (finalizers.includes(FOREGROUND)) deleteDependents(context, dependents, place, object);
    return;
  }
  collect(context, dependents, place, object);
}

/** `waiting`: it goes in the foreground, and takes along whom nobody else keeps. */
type Hold = 'keeps' | 'waiting' | 'absent';

function holdOf(
  context: ControllerContext,
  dependents: Dependents,
  object: KubeObject,
  reference: OwnerReference,
): Hold {
  const owner = findOwner(context, dependents, object, reference);
  if (owner === 'absent') return 'absent';
  return owner !== 'unknown' && isGoingLast(owner.object) ? 'waiting' : 'keeps';
}

function isGoingLast({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND) === true;
}

/** Lets an object go whose owners are all gone or on their way; one that is kept loses its references to the others. */
function collect(context: ControllerContext, dependents: Dependents, place: Place, object: KubeObject): void {
  const references = ownersOf(object);
  if (references.length === 0) return;
  const holds = references.map((reference) => holdOf(context, dependents, object, reference));
  const kept = references.filter((_, index) => holds[index] === 'keeps');
  if (kept.length === references.length) return;
  for (const reference of references.filter((_, index) => holds[index] === 'absent'))
    tellStranger(context, object, reference);
  if (kept.length > 0) return setOwners(context, place, kept);
  const own = dependents.of(object.metadata.uid);
  const last = holds.includes('waiting') && own.length > 0;
  if (last && own.some((key) => isGoingLastAt(context, key))) unblock(context, place);
  remove(context, place, object, last ? 'Foreground' : policyOf(object));
}

function setOwners(context: ControllerContext, place: Place, ownerReferences: OwnerReference[]): void {
  context.objects.store.modify(place.resource, place.namespace, place.name, (copy) => {
    copy.metadata.ownerReferences = ownerReferences;
    return copy;
  });
}

function isGoingLastAt(context: ControllerContext, key: string): boolean {
  const { resource, namespace, name } = placeOf(key);
  const object = context.objects.store.get(resource, namespace, name);
  return object !== undefined && isGoingLast(object);
}

/** Objects that own each other would wait for each other for ever. */
function unblock(context: ControllerContext, place: Place): void {
  context.objects.store.modify(place.resource, place.namespace, place.name, (copy) => {
    for (const reference of copy.metadata.ownerReferences ?? []) reference.blockOwnerDeletion = false;
    return copy;
  });
}

/** An object may say itself what is to become of its dependents. */
function policyOf({ metadata }: KubeObject): 'Orphan' | 'Foreground' | 'Background' {
  if (metadata.finalizers?.includes(ORPHAN)) return 'Orphan';
  return metadata.finalizers?.includes(FOREGROUND) ? 'Foreground' : 'Background';
}

/** Somebody named an owner that lies in another namespace: they are told why their object vanishes. */
function tellStranger(context: ControllerContext, object: KubeObject, reference: OwnerReference): void {
  const { apiVersion, kind, name, uid } = reference;
  const resource = context.catalog.byKind(apiVersion, kind);
  const { namespace = '' } = object.metadata;
  if (resource === undefined) return;
  if (!context.objects.store.list(resource).some(({ metadata }) => metadata.uid === uid)) return;
  const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
  const message = `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`;
  context.events.as('garbage-collector-controller').warning(object, 'OwnerRefInvalidNamespace', message);
}

function remove(
  context: ControllerContext,
  place: Place,
  object: KubeObject,
  propagationPolicy: 'Background' | 'Foreground' | 'Orphan',
): void {
  const { uid } = object.metadata;
  context.deletion.delete(place.resource, place.namespace, place.name, { uid, propagationPolicy });
}

function orphanDependents(
  context: ControllerContext,
  dependents: Dependents,
  place: Place,
  owner: KubeObject,
): void {
  for (const key of dependents.of(owner.metadata.uid)) {
    const { resource, namespace, name } = placeOf(key);
    context.objects.store.modify(resource, namespace, name, (copy) => {
      const references = (copy.metadata.ownerReferences ?? []).filter(
        ({ uid }) => uid !== owner.metadata.uid,
      );
      if (references.length > 0) copy.metadata.ownerReferences = references;
      else delete copy.metadata.ownerReferences;
      return copy;
    });
  }
  releaseFinalizer(context, place, ORPHAN);
}

function deleteDependents(
  context: ControllerContext,
  dependents: Dependents,
  place: Place,
  owner: KubeObject,
): void {
  for (const key of dependents.of(owner.metadata.uid)) {
    const at = placeOf(key);
    const object = context.objects.store.get(at.resource, at.namespace, at.name);
    if (object && object.metadata.deletionTimestamp === undefined) collect(context, dependents, at, object);
  }
  // Each dependent that goes, or blocks no more, brings us back here.
  const blocked = dependents.of(owner.metadata.uid).some((key) => blocks(context, key, owner));
  if (!blocked) releaseFinalizer(context, place, FOREGROUND);
}

function blocks(context: ControllerContext, key: string, { metadata }: KubeObject): boolean {
  const { resource, namespace, name } = placeOf(key);
  const references = context.objects.store.get(resource, namespace, name)?.metadata.ownerReferences ?? [];
  return references.some(
    ({ uid, blockOwnerDeletion }) => uid === metadata.uid && blockOwnerDeletion === true,
  );
}

function releaseFinalizer(context: ControllerContext, place: Place, finalizer: string): void {
  context.objects.store.modify(place.resource, place.namespace, place.name, (copy) => {
    const finalizers = (copy.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    if (finalizers.length > 0) copy.metadata.finalizers = finalizers;
    else delete copy.metadata.finalizers;
    return copy;
  });
  context.deletion.finish(place.resource, place.namespace, place.name);
}
