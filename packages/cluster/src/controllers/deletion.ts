import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { catalogOf } from '../api/catalog.ts';
import { finishDeletion, requestDeletion } from '../api/deletion.ts';
import type { ServedResource } from '../api/resources.ts';
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

/** The resources that are served now; `events` counts once although two groups show it. */
export function servedCatalog(store: ResourceStore): Catalog {
  let types: readonly ServedResource[] = [];
  let resources: ReturnType<Catalog['all']> = [];
  return {
    all: () => {
      const { all } = catalogOf(store);
      if (all === types) return resources;
      types = all;
      const named = all.map(({ storedAs, namespaced }) => ({ name: storedAs, namespaced }));
      return (resources = [...new Map(named.map((each) => [each.name, each])).values()]);
    },
    byKind: (apiVersion, kind) => catalogOf(store).byKind(apiVersion, kind)?.storedAs,
  };
}
