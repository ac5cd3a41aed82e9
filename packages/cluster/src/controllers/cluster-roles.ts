import { isDeepStrictEqual } from 'node:util';
import { matchesSelector } from '../api/selectors.ts';
import type { KubeObject } from '../store/types.ts';
import type { Controller, ControllerContext } from './controller.ts';

const RESOURCE = 'clusterroles.rbac.authorization.k8s.io';

interface Aggregation {
  readonly clusterRoleSelectors?: readonly Record<string, unknown>[];
}

const selectorsOf = (role: KubeObject) =>
  (role['aggregationRule'] as Aggregation | undefined)?.clusterRoleSelectors;

/** Puts ClusterRoles with an `aggregationRule` together from the rules of those that its selectors choose. */
export function clusterRoleController({ objects: { store } }: ControllerContext): Controller {
  const aggregated = () => store.list(RESOURCE).filter((role) => selectorsOf(role) !== undefined);
  return {
    name: 'cluster-roles',
    resources: [RESOURCE],
    // Any role may have become, or stopped being, a part of any of these.
    keys: () => aggregated().map(({ metadata }) => metadata.name),
    reconcile: (name) => {
      store.modify(RESOURCE, undefined, name, (role) => {
        const selectors = selectorsOf(role);
        if (!selectors) return undefined;
        const rules = store
          .list(RESOURCE)
          .filter((other) => other.metadata.name !== name && chosen(selectors, other))
          .flatMap((other) => (other['rules'] ?? []) as readonly unknown[]);
        const distinct = rules.filter(
          (rule, at) => rules.findIndex((other) => isDeepStrictEqual(other, rule)) === at,
        );
        return isDeepStrictEqual(role['rules'], distinct) ? undefined : { ...role, rules: distinct };
      });
      return undefined;
    },
  };
}

const chosen = (selectors: readonly Record<string, unknown>[], role: KubeObject): boolean =>
  selectors.some((selector) => matchesSelector(selector, role.metadata.labels));
