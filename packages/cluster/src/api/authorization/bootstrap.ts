import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ResourceStore } from '../../store/types.ts';
import { DEFAULT_BINDINGS, DEFAULT_ROLES } from './default-roles.table.ts';
import type { DefaultRole } from './default-roles.table.ts';

const GROUP = 'rbac.authorization.k8s.io';
const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const AGGREGATE = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`;

/**
 * Makes the roles and bindings that every cluster has, and brings those of an older version up to date. Who does not want
 * that for one of them sets its annotation `rbac.authorization.kubernetes.io/autoupdate` to `false`, as in Kubernetes.
 */
export function ensureDefaultRoles(store: ResourceStore): void {
  for (const role of DEFAULT_ROLES) put(store, `clusterroles.${GROUP}`, roleObject(role));
  for (const [role, group] of DEFAULT_BINDINGS)
    put(store, `clusterrolebindings.${GROUP}`, bindingObject(role, group));
}

function put(store: ResourceStore, resource: string, wanted: KubeObject): void {
  const { name } = wanted.metadata;
  const stored = store.get(resource, undefined, name);
  if (!stored) {
    store.create(resource, wanted);
    return;
  }
  if (stored.metadata.annotations?.[AUTO_UPDATE] === 'false') return;
  store.modify(resource, undefined, name, (object) => {
    const { metadata: _metadata, ...rest } = wanted;
    // The rules of an aggregated role are the controller's.
    const rules = 'aggregationRule' in wanted ? { rules: object['rules'] } : {};
    const next = { ...object, ...rest, ...rules };
    return isDeepStrictEqual(next, object) ? undefined : next;
  });
}

const meta = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  name,
  uid: '',
  resourceVersion: '',
  creationTimestamp: '',
  annotations: { [AUTO_UPDATE]: 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
});

function roleObject({ name, rules, partOf = [], aggregates }: DefaultRole): KubeObject {
  const labels = Object.fromEntries(partOf.map((role) => [AGGREGATE(role), 'true']));
  const selector = { matchLabels: { [AGGREGATE(name)]: 'true' } };
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'ClusterRole',
    metadata: meta(name, labels),
    ...(aggregates && { aggregationRule: { clusterRoleSelectors: [selector] } }),
    rules,
  };
}

function bindingObject(role: string, group: string): KubeObject {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: meta(role),
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: GROUP, kind: 'Group', name: group }],
  };
}
