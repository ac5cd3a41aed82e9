import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { finishDeletion, requestDeletion } from '../api/deletion.ts';
import { findByKind, RESOURCES } from '../api/resources.ts';
import type { ResourceStore } from '../store/types.ts';
import type { Catalog, Deletion } from './controller.ts';

/** The API's graceful deletion, as controllers use it: what is gone already, or was replaced by another, is no error. */
export function gracefulDeletion(store: ResourceStore, clock: Clock): Deletion {
  return {
    delete: (resource, namespace, name, { uid, ...options } = {}) => {
      const stored = store.get(resource, namespace, name);
      if (!stored || (uid !== undefined && stored.metadata.uid !== uid)) return;
      try {
        requestDeletion({ store, clock }, { resource, namespace, name }, options);
      } catch (error) {
        if (codeOf(error) !== 'NOT_FOUND') throw error;
      }
    },
    finish: (resource, namespace, name) => {
      const stored = store.get(resource, namespace, name);
      if (stored) finishDeletion(store, resource, stored);
    },
  };
}

/** The resources that this server serves; `events` counts once although two groups show it. */
export function servedCatalog(): Catalog {
  const byStorage = new Map(
    RESOURCES.map(({ storedAs, namespaced }) => [storedAs, { name: storedAs, namespaced }]),
  );
  const all = [...byStorage.values()];
  return { all: () => all, byKind: (apiVersion, kind) => findByKind(apiVersion, kind)?.storedAs };
}
