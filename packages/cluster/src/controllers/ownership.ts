import type { LabelSelector } from '../kinds/meta.ts';
import type { Kinds, KnownResource, Objects } from '../kinds/objects.ts';
import { selects } from '../kinds/selectors.ts';
import type { ObjectMeta, OwnerReference, WatchEvent } from '../store/types.ts';
import { keyOf, ownerKey } from './controller.ts';

type Owner = { apiVersion: string; kind: string; metadata: ObjectMeta; spec: { selector?: LabelSelector } };

export function controllerOf(object: { metadata: ObjectMeta }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: { metadata: ObjectMeta }, owner: { metadata: ObjectMeta }): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

export function controllerReference(owner: {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/**
 * Keys of those that a change of a dependent concerns: its controller, or for an orphan whoever may adopt it.
 * @param owners what may control it
 */
export function keysOfOwners(
  { object, type }: Pick<WatchEvent, 'object' | 'type'>,
  kind: string,
  owners: () => readonly Owner[],
): string[] {
  if (type === 'DELETED' || controllerOf(object)) return ownerKey(object, kind);
  const { namespace, labels } = object.metadata;
  return owners()
    .filter(({ metadata, spec }) => metadata.namespace === namespace && selects(spec.selector, labels))
    .map(keyOf);
}

/**
 * The objects of `resource` that belong to `owner`: those it controls and its selector still matches. Orphans that
 * match are adopted, own ones that match no more are let go; an owner that is being deleted does neither.
 * @param isAdoptable what else is asked of an orphan
 */
export function claim<R extends KnownResource>(
  objects: Objects,
  resource: R,
  owner: Owner,
  isAdoptable: (orphan: Kinds[R]) => boolean = () => true,
): Kinds[R][] {
  const { namespace } = owner.metadata;
  const mine: Kinds[R][] = [];
  for (const object of objects.list(resource, namespace)) {
    const matches = selects(owner.spec.selector, object.metadata.labels);
    const controller = controllerOf(object);
    if (controller?.uid === owner.metadata.uid) {
      if (matches || owner.metadata.deletionTimestamp !== undefined) mine.push(object);
      else release(objects, resource, object, owner);
    } else if (controller === undefined && matches && isAdoptable(object)) {
      const adopted = adopt(objects, resource, object, owner);
      if (adopted) mine.push(adopted);
    }
  }
  return mine;
}

function adopt<R extends KnownResource>(
  objects: Objects,
  resource: R,
  object: Kinds[R],
  owner: Owner,
): Kinds[R] | undefined {
  if (owner.metadata.deletionTimestamp !== undefined || object.metadata.deletionTimestamp !== undefined)
    return undefined;
  return objects.modify(resource, object.metadata.namespace, object.metadata.name, ({ metadata }) => {
    metadata.ownerReferences = [...(metadata.ownerReferences ?? []), controllerReference(owner)];
  });
}

function release<R extends KnownResource>(
  objects: Objects,
  resource: R,
  object: Kinds[R],
  owner: Owner,
): void {
  objects.modify(resource, object.metadata.namespace, object.metadata.name, ({ metadata }) => {
    const others = (metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
    if (others.length > 0) metadata.ownerReferences = others;
    else delete metadata.ownerReferences;
  });
}
