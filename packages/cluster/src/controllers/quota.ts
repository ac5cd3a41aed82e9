import { resourceOf, usedOf } from '../api/admission/policies/quota-usage.ts';
import { quantityOf } from '../kinds/pod-resources.ts';
import type { WatchEvent } from '../store/types.ts';
import { keyOf, splitKey } from './controller.ts';
import type { Controller, ControllerContext } from './controller.ts';

/** Shows in each quota's status what is used of it. Who may still be let in is counted anew by admission itself. */
export function quotaController(context: ControllerContext): Controller {
  const { objects } = context;
  return {
    name: 'quota',
    resources: 'all',
    keys: (event) => {
      const { namespace } = event.object.metadata;
      if (event.resource === 'resourcequotas') {
        // A new quota counts itself where others limit how many there are.
        return objects.list('resourcequotas', namespace).map(keyOf);
      }
      if (namespace === undefined || !changesUsage(event)) return [];
      return objects
        .list('resourcequotas', namespace)
        .filter(({ spec }) =>
          Object.keys(spec.hard ?? {}).some((name) => resourceOf(name) === event.resource),
        )
        .map(keyOf);
    },
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      objects.modify('resourcequotas', namespace, name, (quota) => {
        const hard = quota.spec.hard ?? {};
        const used = usedOf(quota, (resource) => objects.store.list(resource, namespace));
        quota.status = {
          hard,
          used: Object.fromEntries([...used].map(([of, amount]) => [of, quantityOf(of, amount)])),
        };
      });
    },
  };
}

function changesUsage({ type, object, previous }: WatchEvent): boolean {
  if (type !== 'MODIFIED' || !previous) return true;
  const phase = (of: typeof object) => of.status?.['phase'];
  return phase(object) !== phase(previous) || JSON.stringify(object.spec) !== JSON.stringify(previous.spec);
}
