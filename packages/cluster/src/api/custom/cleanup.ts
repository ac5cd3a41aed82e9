import { codeOf, timestamp } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { KubeObject, ResourceStore } from '../../store/types.ts';
import { finishDeletion, requestDeletion } from '../deletion.ts';
import { CLEANUP, admitDefinition } from './admit-definition.ts';
import { DEFINITIONS, conditionsOf, isEstablished, storageOf } from './definition.ts';

/**
 * Takes the objects of definitions that are being deleted along with them; the definition goes when the last of them has.
 * @returns stops it
 */
export function cleanUpDefinitions(context: {
  readonly store: ResourceStore;
  readonly clock: Clock;
}): () => void {
  const { store } = context;
  for (const definition of store.list(DEFINITIONS)) cleanUp(context, definition);
  return store.watch(({ resource, type, object }) => {
    if (resource === DEFINITIONS) {
      if (type === 'DELETED') establishOthers(context);
      else cleanUp(context, object);
      return;
    }
    if (type !== 'DELETED') return;
    const definition = store.get(DEFINITIONS, undefined, resource);
    if (definition) cleanUp(context, definition);
  });
}

function cleanUp(context: { readonly store: ResourceStore; readonly clock: Clock }, seen: KubeObject): void {
  const { store } = context;
  const definition = store.get(DEFINITIONS, undefined, seen.metadata.name);
  if (definition?.metadata.deletionTimestamp === undefined) return;
  if (!definition.metadata.finalizers?.includes(CLEANUP)) return;
  const resource = storageOf(definition);
  for (const { metadata } of store.list(resource)) {
    if (metadata.deletionTimestamp === undefined) remove(context, resource, metadata);
  }
  if (store.list(resource).length === 0) return release(store, definition);
  if (!conditionsOf(definition).some(({ type }) => type === 'Terminating'))
    markTerminating(context, definition);
}

/** Names that were taken may be free now. */
function establishOthers(context: { readonly store: ResourceStore; readonly clock: Clock }): void {
  const { store } = context;
  for (const definition of store.list(DEFINITIONS).filter((each) => !isEstablished(each))) {
    store.modify(DEFINITIONS, undefined, definition.metadata.name, (object) => {
      admitDefinition(context, object, definition);
      return object;
    });
  }
}

function remove(
  context: { readonly store: ResourceStore; readonly clock: Clock },
  resource: string,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): void {
  try {
    requestDeletion(context, { resource, namespace, name });
  } catch (error) {
    // It went with another one.
    if (codeOf(error) !== 'API_REFUSED') throw error;
  }
}

function release(store: ResourceStore, { metadata }: KubeObject): void {
  const after = store.modify(DEFINITIONS, undefined, metadata.name, (object) => {
    const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== CLEANUP);
    const { finalizers: _all, ...rest } = object.metadata;
    return { ...object, metadata: finalizers.length > 0 ? { ...rest, finalizers } : rest };
  });
  if (after) finishDeletion(store, DEFINITIONS, after);
}

function markTerminating(
  { store, clock }: { readonly store: ResourceStore; readonly clock: Clock },
  { metadata }: KubeObject,
): void {
  const condition = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: timestamp(clock.now()),
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
  };
  store.modify(DEFINITIONS, undefined, metadata.name, (object) => ({
    ...object,
    status: { ...object.status, conditions: [...conditionsOf(object), condition] },
  }));
}
