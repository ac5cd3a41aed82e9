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

  note(event: WatchEvent): void {
    const key = keyOfPlace(event.resource, event.object);
    for (const { uid } of event.previous?.metadata.ownerReferences ?? []) this.#byOwner.get(uid)?.delete(key);
    for (const { uid } of event.object.metadata.ownerReferences ?? []) {
      const keys = this.#byOwner.get(uid) ?? new Set();
      if (event.type === 'DELETED') keys.delete(key);
      else keys.add(key);
      if (keys.size > 0) this.#byOwner.set(uid, keys);
      else this.#byOwner.delete(uid);
    }
  }

  of(uid: string): string[] {
    return [...(this.#byOwner.get(uid) ?? [])];
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
  const { object, resource, type } = event;
  const { metadata } = object;
  if (type === 'DELETED') return [...dependents.of(metadata.uid), ...waitingOwners(context, object)];
  const held =
    metadata.finalizers?.some((finalizer) => finalizer === FOREGROUND || finalizer === ORPHAN) === true;
  const owned = (metadata.ownerReferences ?? []).length > 0;
  return owned || (held && metadata.deletionTimestamp !== undefined) ? [keyOfPlace(resource, object)] : [];
}

/** Owners that wait for this dependent to go before they go themselves. */
function waitingOwners(context: ControllerContext, dependent: KubeObject): string[] {
  return (dependent.metadata.ownerReferences ?? []).flatMap((reference) => {
    const owner = findOwner(context, dependent, reference);
    return typeof owner === 'object' && owner.object.metadata.deletionTimestamp !== undefined
      ? [keyOfPlace(owner.resource, owner.object)]
      : [];
  });
}

/** The owner; 'absent' when it is gone for sure; 'unknown' when this cluster cannot tell. */
function findOwner(
  context: ControllerContext,
  dependent: KubeObject,
  reference: OwnerReference,
): { resource: ResourceName; object: KubeObject } | 'absent' | 'unknown' {
  const resource = context.catalog.byKind(reference.apiVersion, reference.kind);
  if (resource === undefined) return 'unknown';
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

function collect(context: ControllerContext, dependents: Dependents, place: Place, object: KubeObject): void {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const owners = references.map((reference) => ({ reference, owner: findOwner(context, object, reference) }));
  const present = owners.filter(({ owner }) => owner !== 'absent');
  if (present.length === 0) {
    const propagationPolicy = dependents.of(object.metadata.uid).length > 0 ? 'Background' : undefined;
    remove(context, place, object, propagationPolicy);
    return;
  }
  if (present.length === owners.length) return;
  context.objects.store.modify(place.resource, place.namespace, place.name, (copy) => {
    copy.metadata.ownerReferences = present.map(({ reference }) => reference);
    return copy;
  });
}

function remove(
  context: ControllerContext,
  place: Place,
  object: KubeObject,
  propagationPolicy: 'Background' | 'Foreground' | undefined,
): void {
  context.deletion.delete(place.resource, place.namespace, place.name, {
    uid: object.metadata.uid,
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
  });
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
  let blocked = false;
  for (const key of dependents.of(owner.metadata.uid)) {
    const at = placeOf(key);
    const object = context.objects.store.get(at.resource, at.namespace, at.name);
    if (!object) continue;
    const reference = object.metadata.ownerReferences?.find(({ uid }) => uid === owner.metadata.uid);
    if (reference?.blockOwnerDeletion) blocked = true;
    if (object.metadata.deletionTimestamp !== undefined) continue;
    const hasOwn = dependents.of(object.metadata.uid).length > 0;
    remove(context, at, object, hasOwn ? 'Foreground' : 'Background');
  }
  // Each dependent that goes brings us back here.
  const left = dependents.of(owner.metadata.uid).length > 0;
  if (!blocked || !left) releaseFinalizer(context, place, FOREGROUND);
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
