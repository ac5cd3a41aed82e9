import { AUTHENTICATED } from '../service-account.ts';
import { ISSUER_PATHS } from '../tokens.ts';
import type { PolicyRule } from './rules.ts';

/**
 * The roles that every cluster has, by Kubernetes' documentation of RBAC ("Default roles and role bindings"), for the
 * resources that this cluster serves. `admin`, `edit` and `view` are put together from the roles labelled for them, as
 * those of charts and operators are.
 */
const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const WORKLOADS: readonly PolicyRule[] = [
  {
    apiGroups: ['apps'],
    resources: [
      'daemonsets',
      'deployments',
      'deployments/scale',
      'replicasets',
      'replicasets/scale',
      'statefulsets',
      'statefulsets/scale',
    ],
  },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'] },
];

const CORE = [
  'configmaps',
  'endpoints',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'replicationcontrollers/scale',
  'serviceaccounts',
  'services',
];

const STATUSES: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: [
      'persistentvolumeclaims/status',
      'pods/log',
      'pods/status',
      'replicationcontrollers/status',
      'resourcequotas',
      'resourcequotas/status',
      'services/status',
      'bindings',
      'events',
      'limitranges',
      'namespaces',
      'namespaces/status',
    ],
  },
  { apiGroups: ['apps'], resources: ['controllerrevisions', 'daemonsets/status', 'deployments/status'] },
  { apiGroups: ['apps'], resources: ['replicasets/status', 'statefulsets/status'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers/status'] },
  { apiGroups: ['batch'], resources: ['cronjobs/status', 'jobs/status'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets/status'] },
];

const STREAMS = ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'services/proxy'];

const to = (verbs: readonly string[], rules: readonly PolicyRule[]): PolicyRule[] =>
  rules.map((rule) => ({ ...rule, verbs }));

const VIEW = to(READ, [{ apiGroups: [''], resources: CORE }, ...STATUSES, ...WORKLOADS]);

const EDIT: readonly PolicyRule[] = [
  { verbs: READ, apiGroups: [''], resources: [...STREAMS, 'secrets'] },
  { verbs: ['impersonate'], apiGroups: [''], resources: ['serviceaccounts'] },
  {
    verbs: WRITE,
    apiGroups: [''],
    resources: [...CORE, ...STREAMS, 'events', 'secrets'],
  },
  { verbs: ['create'], apiGroups: [''], resources: ['pods/eviction', 'serviceaccounts/token'] },
  ...to(WRITE, WORKLOADS),
  {
    verbs: [...READ, ...WRITE],
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
  },
];

const ADMIN: readonly PolicyRule[] = [
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'] },
  {
    verbs: [...READ, ...WRITE],
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['rolebindings', 'roles'],
  },
];

const SELF_REVIEWS: readonly PolicyRule[] = [
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
];

const DISCOVERY = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', '/version', '/version/'];
const HEALTH = ['/healthz', '/livez', '/readyz'];

export interface DefaultRole {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  /** Labels by which it becomes a part of others. */
  readonly partOf?: readonly string[];
  /** Made of the roles that are part of it. */
  readonly aggregates?: true;
}

export const DEFAULT_ROLES: readonly DefaultRole[] = [
  {
    name: 'cluster-admin',
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  },
  { name: 'admin', rules: [], aggregates: true },
  { name: 'edit', rules: [], aggregates: true, partOf: ['admin'] },
  { name: 'view', rules: [], aggregates: true, partOf: ['edit'] },
  { name: 'system:aggregate-to-admin', rules: ADMIN, partOf: ['admin'] },
  { name: 'system:aggregate-to-edit', rules: EDIT, partOf: ['edit'] },
  { name: 'system:aggregate-to-view', rules: VIEW, partOf: ['view'] },
  { name: 'system:basic-user', rules: SELF_REVIEWS },
  { name: 'system:discovery', rules: [{ verbs: ['get'], nonResourceURLs: [...DISCOVERY, ...HEALTH] }] },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      { verbs: ['get'], nonResourceURLs: Object.values(ISSUER_PATHS).flatMap((path) => [path, `${path}/`]) },
    ],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'] },
      { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'] },
    ],
  },
];

/** ClusterRole -> the group that has it everywhere. */
export const DEFAULT_BINDINGS: readonly (readonly [role: string, group: string])[] = [
  ['cluster-admin', 'system:masters'],
  ['system:basic-user', AUTHENTICATED],
  ['system:discovery', AUTHENTICATED],
  ['system:service-account-issuer-discovery', 'system:serviceaccounts'],
];
