import type { ResourceType } from '../store/types.ts';
import type { CustomType } from './custom/custom-type.ts';

/** A ResourceType as this server serves it. */
export interface ServedResource extends ResourceType {
  /** The store's name for it. `events` and `events.k8s.io/events` are one and the same; kept in the form of the first. */
  readonly storedAs: string;
  /** Name of its definition in the schema. */
  readonly definition: string;
  /** Kept, validated and watched, but nothing acts on it: a write says so in a Warning header. */
  readonly inert: boolean;
  /** Of kinds that a CustomResourceDefinition brought. */
  readonly custom?: CustomType;
}

type Row = [kind: string, plural: string, options?: Options];

interface Options {
  short?: string[];
  categories?: string[];
  cluster?: true;
  status?: true;
  scale?: true;
  generation?: true;
  inert?: true;
  storedAs?: string;
}

interface GroupTable {
  readonly group: string;
  readonly version: string;
  /** Prefix of the definitions' names. */
  readonly definitions: string;
  readonly rows: readonly Row[];
}

const ALL = ['all'];

/** In the order discovery shows them; kubectl takes the first group that has a plural name. */
const GROUPS: readonly GroupTable[] = [
  {
    group: '',
    version: 'v1',
    definitions: 'io.k8s.api.core.v1',
    rows: [
      ['ConfigMap', 'configmaps', { short: ['cm'] }],
      ['Endpoints', 'endpoints', { short: ['ep'] }],
      ['Event', 'events', { short: ['ev'] }],
      ['LimitRange', 'limitranges', { short: ['limits'] }],
      ['Namespace', 'namespaces', { short: ['ns'], cluster: true, status: true }],
      ['Node', 'nodes', { short: ['no'], cluster: true, status: true }],
      ['PersistentVolumeClaim', 'persistentvolumeclaims', { short: ['pvc'], status: true }],
      ['PersistentVolume', 'persistentvolumes', { short: ['pv'], cluster: true, status: true }],
      ['Pod', 'pods', { short: ['po'], categories: ALL, status: true, generation: true }],
      ['PodTemplate', 'podtemplates', { generation: true }],
      [
        'ReplicationController',
        'replicationcontrollers',
        { short: ['rc'], categories: ALL, status: true, scale: true, generation: true },
      ],
      ['ResourceQuota', 'resourcequotas', { short: ['quota'], status: true }],
      ['Secret', 'secrets'],
      ['ServiceAccount', 'serviceaccounts', { short: ['sa'] }],
      ['Service', 'services', { short: ['svc'], categories: ALL, status: true }],
    ],
  },
  {
    group: 'apps',
    version: 'v1',
    definitions: 'io.k8s.api.apps.v1',
    rows: [
      ['ControllerRevision', 'controllerrevisions'],
      ['DaemonSet', 'daemonsets', { short: ['ds'], categories: ALL, status: true, generation: true }],
      [
        'Deployment',
        'deployments',
        { short: ['deploy'], categories: ALL, status: true, scale: true, generation: true },
      ],
      [
        'ReplicaSet',
        'replicasets',
        { short: ['rs'], categories: ALL, status: true, scale: true, generation: true },
      ],
      [
        'StatefulSet',
        'statefulsets',
        { short: ['sts'], categories: ALL, status: true, scale: true, generation: true },
      ],
    ],
  },
  {
    group: 'events.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.events.v1',
    rows: [['Event', 'events', { storedAs: 'events' }]],
  },
  {
    group: 'autoscaling',
    version: 'v2',
    definitions: 'io.k8s.api.autoscaling.v2',
    rows: [
      [
        'HorizontalPodAutoscaler',
        'horizontalpodautoscalers',
        { short: ['hpa'], categories: ALL, status: true },
      ],
    ],
  },
  {
    group: 'autoscaling',
    version: 'v1',
    definitions: 'io.k8s.api.autoscaling.v1',
    rows: [
      [
        'HorizontalPodAutoscaler',
        'horizontalpodautoscalers',
        {
          short: ['hpa'],
          categories: ALL,
          status: true,
          storedAs: 'horizontalpodautoscalers.autoscaling',
        },
      ],
    ],
  },
  {
    group: 'batch',
    version: 'v1',
    definitions: 'io.k8s.api.batch.v1',
    rows: [
      ['CronJob', 'cronjobs', { short: ['cj'], categories: ALL, status: true, generation: true }],
      ['Job', 'jobs', { categories: ALL, status: true, generation: true }],
    ],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.networking.v1',
    rows: [
      ['IngressClass', 'ingressclasses', { cluster: true, generation: true }],
      ['Ingress', 'ingresses', { short: ['ing'], status: true, generation: true }],
      ['IPAddress', 'ipaddresses', { short: ['ip'], cluster: true, inert: true }],
      ['NetworkPolicy', 'networkpolicies', { short: ['netpol'], generation: true }],
      ['ServiceCIDR', 'servicecidrs', { cluster: true, status: true, inert: true }],
    ],
  },
  {
    group: 'policy',
    version: 'v1',
    definitions: 'io.k8s.api.policy.v1',
    rows: [
      ['PodDisruptionBudget', 'poddisruptionbudgets', { short: ['pdb'], status: true, generation: true }],
    ],
  },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.rbac.v1',
    rows: [
      ['ClusterRoleBinding', 'clusterrolebindings', { cluster: true }],
      ['ClusterRole', 'clusterroles', { cluster: true }],
      ['RoleBinding', 'rolebindings'],
      ['Role', 'roles'],
    ],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.storage.v1',
    rows: [
      ['CSIDriver', 'csidrivers', { cluster: true, generation: true, inert: true }],
      ['CSINode', 'csinodes', { cluster: true, inert: true }],
      ['CSIStorageCapacity', 'csistoragecapacities', { inert: true }],
      ['StorageClass', 'storageclasses', { short: ['sc'], cluster: true }],
      ['VolumeAttachment', 'volumeattachments', { cluster: true, status: true, inert: true }],
      ['VolumeAttributesClass', 'volumeattributesclasses', { short: ['vac'], cluster: true, inert: true }],
    ],
  },
  {
    group: 'discovery.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.discovery.v1',
    rows: [['EndpointSlice', 'endpointslices', { generation: true }]],
  },
  {
    group: 'coordination.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.coordination.v1',
    rows: [['Lease', 'leases']],
  },
  {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
    rows: [
      [
        'CustomResourceDefinition',
        'customresourcedefinitions',
        {
          short: ['crd', 'crds'],
          categories: ['api-extensions'],
          cluster: true,
          status: true,
          generation: true,
        },
      ],
    ],
  },
  {
    group: 'certificates.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.certificates.v1',
    rows: [
      [
        'CertificateSigningRequest',
        'certificatesigningrequests',
        { short: ['csr'], cluster: true, status: true },
      ],
    ],
  },
  {
    group: 'node.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.node.v1',
    rows: [['RuntimeClass', 'runtimeclasses', { cluster: true }]],
  },
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.scheduling.v1',
    rows: [['PriorityClass', 'priorityclasses', { short: ['pc'], cluster: true, generation: true }]],
  },
  {
    group: 'flowcontrol.apiserver.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.flowcontrol.v1',
    rows: [
      ['FlowSchema', 'flowschemas', { cluster: true, status: true, generation: true, inert: true }],
      [
        'PriorityLevelConfiguration',
        'prioritylevelconfigurations',
        { cluster: true, status: true, generation: true, inert: true },
      ],
    ],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    definitions: 'io.k8s.api.admissionregistration.v1',
    rows: [
      [
        'ValidatingAdmissionPolicy',
        'validatingadmissionpolicies',
        { categories: ['api-extensions'], cluster: true, status: true, generation: true, inert: true },
      ],
      [
        'ValidatingAdmissionPolicyBinding',
        'validatingadmissionpolicybindings',
        { categories: ['api-extensions'], cluster: true, generation: true, inert: true },
      ],
      [
        'MutatingWebhookConfiguration',
        'mutatingwebhookconfigurations',
        { categories: ['api-extensions'], cluster: true, generation: true },
      ],
      [
        'ValidatingWebhookConfiguration',
        'validatingwebhookconfigurations',
        { categories: ['api-extensions'], cluster: true, generation: true },
      ],
    ],
  },
];

function served(table: GroupTable, row: Row): ServedResource {
  const [kind, plural, options = {}] = row;
  const subresources: ('status' | 'scale')[] = [];
  if (options.scale) subresources.push('scale');
  if (options.status) subresources.push('status');
  return {
    group: table.group,
    version: table.version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: options.short ?? [],
    categories: options.categories ?? [],
    namespaced: !options.cluster,
    subresources,
    hasGeneration: options.generation ?? false,
    storedAs: options.storedAs ?? (table.group === '' ? plural : `${plural}.${table.group}`),
    definition: `${table.definitions}.${kind}`,
    inert: options.inert ?? false,
  };
}

/** Every resource this server keeps. */
export const RESOURCES: readonly ServedResource[] = GROUPS.flatMap((table) =>
  table.rows.map((row) => served(table, row)),
);
