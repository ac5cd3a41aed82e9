import { milliOf, podAmounts, sumOf } from '../../../kinds/pod-resources.ts';
import type { Amounts } from '../../../kinds/pod-resources.ts';
import type { Pod } from '../../../kinds/pod.ts';
import type { ResourceQuota, ScopeRequirement } from '../../../kinds/quota.ts';
import type { Service } from '../../../kinds/network.ts';
import type { PersistentVolumeClaim } from '../../../kinds/storage.ts';
import type { KubeObject } from '../../../store/types.ts';
import { qosClassOf } from '../quality.ts';

const ONE = 1000;
/** Kinds that have a counter of their own beside `count/...`. */
const PLAIN_COUNTS = new Set([
  'pods',
  'services',
  'secrets',
  'configmaps',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims',
]);
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];

/** What one object uses of each thing that a quota can limit. */
export function usageOf(resource: string, object: KubeObject): Amounts {
  const usage = new Map<string, number>([[`count/${resource}`, ONE]]);
  if (PLAIN_COUNTS.has(resource)) usage.set(resource, ONE);
  if (resource === 'pods') return podUsage(object as unknown as Pod);
  if (resource === 'persistentvolumeclaims') addClaim(usage, object as unknown as PersistentVolumeClaim);
  if (resource === 'services') addService(usage, object as unknown as Service);
  return usage;
}

const isOver = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** A pod that has ended counts as an object, and uses nothing else. */
function podUsage(pod: Pod): Amounts {
  const usage = new Map<string, number>([['count/pods', ONE]]);
  if (isOver(pod)) return usage;
  usage.set('pods', ONE);
  for (const [name, amount] of podAmounts(pod.spec, 'requests')) {
    usage.set(`requests.${name}`, amount);
    if (COMPUTE.includes(name)) usage.set(name, amount);
  }
  for (const [name, amount] of podAmounts(pod.spec, 'limits')) usage.set(`limits.${name}`, amount);
  return usage;
}

function addClaim(usage: Map<string, number>, { spec }: PersistentVolumeClaim): void {
  const storage = milliOf(spec.resources?.requests?.['storage']);
  usage.set('requests.storage', storage);
  if (!spec.storageClassName) return;
  const prefix = `${spec.storageClassName}.storageclass.storage.k8s.io`;
  usage.set(`${prefix}/requests.storage`, storage);
  usage.set(`${prefix}/persistentvolumeclaims`, ONE);
}

function addService(usage: Map<string, number>, { spec }: Service): void {
  const ports = spec.ports ?? [];
  const nodePorts = ports.filter(({ nodePort }) => nodePort !== undefined || spec.type === 'NodePort').length;
  usage.set('services.nodeports', nodePorts * ONE);
  usage.set('services.loadbalancers', spec.type === 'LoadBalancer' ? ONE : 0);
}

/** Names of a quota that a pod must ask for when the quota limits them. */
export function unspecified(quota: ResourceQuota, pod: Pod): string[] {
  const names = Object.keys(quota.spec.hard ?? {}).filter((name) =>
    /^(?:(?:requests|limits)\.)?(?:cpu|memory)$/.test(name),
  );
  return names.flatMap((name) => {
    const [which, resource = which] = name.includes('.') ? name.split('.') : ['requests', name];
    const list = which === 'limits' ? 'limits' : 'requests';
    const without = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
      .filter(({ resources }) => resources?.[list]?.[String(resource)] === undefined)
      .map((container) => container.name);
    return without.length > 0 ? [`${name} for: ${without.join(',')}`] : [];
  });
}

/** Does the quota concern the object at all? Scopes narrow it to some pods; those that have none concern everything. */
export function concerns(quota: ResourceQuota, resource: string, object: KubeObject): boolean {
  const plain = (quota.spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  const scopes = [...plain, ...(quota.spec.scopeSelector?.matchExpressions ?? [])];
  if (scopes.length === 0) return true;
  return resource === 'pods' && scopes.every((scope) => inScope(scope, object as unknown as Pod));
}

function inScope({ scopeName, operator, values = [] }: ScopeRequirement, pod: Pod): boolean {
  switch (scopeName) {
    case 'Terminating':
      return pod.spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return qosClassOf(pod.spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(pod.spec) !== 'BestEffort';
    case 'PriorityClass':
      return meets(pod.spec.priorityClassName ?? '', operator, values);
    case 'CrossNamespacePodAffinity':
      return reachesOut(pod);
    default:
      return false;
  }
}

function meets(name: string, operator: string, values: readonly string[]): boolean {
  if (operator === 'Exists') return name !== '';
  if (operator === 'DoesNotExist') return name === '';
  return values.includes(name) === (operator === 'In');
}

function reachesOut({ spec }: Pod): boolean {
  return (['podAffinity', 'podAntiAffinity'] as const)
    .flatMap((which) => spec.affinity?.[which]?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    .some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}

/** What the objects of the quota's namespace use of what it limits. */
export function usedOf(quota: ResourceQuota, list: (resource: string) => readonly KubeObject[]): Amounts {
  const names = Object.keys(quota.spec.hard ?? {});
  const resources = new Set(names.map(resourceOf));
  const sums = sumOf(
    [...resources].flatMap((resource) =>
      list(resource)
        .filter((object) => concerns(quota, resource, object))
        .map((object) => usageOf(resource, object)),
    ),
  );
  return new Map(names.map((name) => [name, sums.get(name) ?? 0]));
}

/** Which objects count towards the name. */
export function resourceOf(name: string): string {
  if (name.startsWith('count/')) return name.slice('count/'.length);
  if (name.startsWith('services')) return 'services';
  if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/')) {
    return 'persistentvolumeclaims';
  }
  return PLAIN_COUNTS.has(name) ? name : 'pods';
}
