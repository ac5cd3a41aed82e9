import type { KubeObject } from '../../store/types.ts';
import { DEFINITIONS } from '../custom/definition.ts';
import { MUTATING, VALIDATING } from '../webhooks/configuration.ts';
import { defaultConfiguration } from '../webhooks/default-configuration.ts';
import { defaults, ensureRecord, recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import { defaultPod, defaultPodSpec } from './pod-defaults.ts';

type Default = (object: KubeObject) => void;

/** Kubernetes' way to say that there is no limit. */
const MAX_INT32 = 2_147_483_647;
/** What a HorizontalPodAutoscaler goes by that names nothing. */
const CPU_METRIC = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};

/**
 * Fills in what Kubernetes stores for what was left out. Changes the object it is given.
 * @param resource the store's name of it
 */
export function applyDefaults(resource: string, object: KubeObject): void {
  DEFAULTS[resource]?.(object);
}

const DEFAULTS: Readonly<Record<string, Default>> = {
  pods: (pod) => defaultPod(pod),
  'deployments.apps': (deployment) => {
    const spec = workload(deployment, {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    const strategy = ensureRecord(spec, 'strategy');
    defaults(strategy, { type: 'RollingUpdate' });
    if (strategy['type'] !== 'RollingUpdate') return;
    defaults(ensureRecord(strategy, 'rollingUpdate'), { maxSurge: '25%', maxUnavailable: '25%' });
  },
  'replicasets.apps': (set) => {
    workload(set, { replicas: 1 });
    labelsFromTemplate(set);
  },
  replicationcontrollers: (controller) => {
    const spec = workload(controller, { replicas: 1 });
    labelsFromTemplate(controller);
    defaults(spec, { selector: recordAt(recordAt(recordAt(spec, 'template'), 'metadata'), 'labels') });
  },
  'statefulsets.apps': defaultStatefulSet,
  'daemonsets.apps': (set) => {
    const spec = workload(set, { revisionHistoryLimit: 10 });
    const strategy = ensureRecord(spec, 'updateStrategy');
    defaults(strategy, { type: 'RollingUpdate' });
    if (strategy['type'] !== 'RollingUpdate') return;
    defaults(ensureRecord(strategy, 'rollingUpdate'), { maxSurge: 0, maxUnavailable: 1 });
  },
  'jobs.batch': defaultJob,
  'cronjobs.batch': (job) => {
    const spec = ensureRecord(job, 'spec');
    defaults(spec, {
      concurrencyPolicy: 'Allow',
      failedJobsHistoryLimit: 1,
      successfulJobsHistoryLimit: 3,
      suspend: false,
    });
    template(recordAt(recordAt(spec, 'jobTemplate'), 'spec'));
  },
  services: defaultService,
  [DEFINITIONS]: defaultDefinition,
  [MUTATING]: defaultConfiguration,
  [VALIDATING]: defaultConfiguration,
  limitranges: (range) => {
    for (const item of recordsAt(recordAt(range, 'spec'), 'limits')) {
      if (item['type'] !== 'Container') continue;
      // What is not said follows from what is: the limit from the maximum, the request from the limit, else the minimum.
      if (item['max'] !== undefined) defaults(ensureRecord(item, 'default'), recordAt(item, 'max'));
      if (item['default'] !== undefined) {
        defaults(ensureRecord(item, 'defaultRequest'), recordAt(item, 'default'));
      }
      if (item['min'] !== undefined) defaults(ensureRecord(item, 'defaultRequest'), recordAt(item, 'min'));
    }
  },
  'priorityclasses.scheduling.k8s.io': (priority) =>
    defaults(priority, { preemptionPolicy: 'PreemptLowerPriority' }),
  namespaces: (namespace) => {
    defaults(ensureRecord(namespace, 'spec'), { finalizers: ['kubernetes'] });
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name,
    };
  },
  secrets: (secret) => {
    // Written in clear text for convenience, never shown so.
    for (const [key, value] of Object.entries(recordAt(secret, 'stringData'))) {
      ensureRecord(secret, 'data')[key] = Buffer.from(String(value), 'utf8').toString('base64');
    }
    delete secret['stringData'];
    defaults(secret, { type: 'Opaque' });
  },
  persistentvolumeclaims: (claim) => defaults(ensureRecord(claim, 'spec'), { volumeMode: 'Filesystem' }),
  persistentvolumes: (volume) =>
    defaults(ensureRecord(volume, 'spec'), {
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
    }),
  'storageclasses.storage.k8s.io': (storageClass) =>
    defaults(storageClass, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  endpoints: (endpoints) => {
    for (const subset of recordsAt(endpoints, 'subsets')) defaultPorts(subset);
  },
  'endpointslices.discovery.k8s.io': (slice) => defaultPorts(slice, { name: '' }),
  'networkpolicies.networking.k8s.io': (policy) => {
    const spec = ensureRecord(policy, 'spec');
    const types = spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
    defaults(spec, { policyTypes: types });
    for (const rule of [...recordsAt(spec, 'ingress'), ...recordsAt(spec, 'egress')]) defaultPorts(rule);
  },
  'horizontalpodautoscalers.autoscaling': (scaler) =>
    defaults(ensureRecord(scaler, 'spec'), { minReplicas: 1, metrics: [CPU_METRIC] }),
  'rolebindings.rbac.authorization.k8s.io': defaultBinding,
  'clusterrolebindings.rbac.authorization.k8s.io': defaultBinding,
};

function workload(object: KubeObject, values: Members): Members {
  const spec = ensureRecord(object, 'spec');
  defaults(spec, values);
  template(spec);
  return spec;
}

function template(spec: Members): void {
  const inner = recordAt(spec, 'template');
  if (spec['template'] !== undefined) defaultPodSpec(ensureRecord(inner, 'spec'));
}

function labelsFromTemplate(object: KubeObject): void {
  if (Object.keys(object.metadata.labels ?? {}).length > 0) return;
  const labels = recordAt(recordAt(recordAt(object.spec, 'template'), 'metadata'), 'labels');
  if (Object.keys(labels).length > 0) object.metadata.labels = { ...(labels as Record<string, string>) };
}

function defaultStatefulSet(set: KubeObject): void {
  const spec = workload(set, {
    replicas: 1,
    revisionHistoryLimit: 10,
    podManagementPolicy: 'OrderedReady',
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  });
  const strategy = ensureRecord(spec, 'updateStrategy');
  defaults(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate')
    defaults(ensureRecord(strategy, 'rollingUpdate'), { partition: 0 });
  for (const claim of recordsAt(spec, 'volumeClaimTemplates')) {
    defaults(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } });
    defaults(ensureRecord(claim, 'spec'), { volumeMode: 'Filesystem' });
  }
}

function defaultJob(job: KubeObject): void {
  const spec = ensureRecord(job, 'spec');
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
  workload(job, {
    parallelism: 1,
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : MAX_INT32,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
  });
  if (spec['manualSelector'] === true || !job.metadata.uid) return;
  const uid = job.metadata.uid;
  defaults(spec, { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } } });
  const labels = ensureRecord(ensureRecord(ensureRecord(spec, 'template'), 'metadata'), 'labels');
  const { name } = job.metadata;
  defaults(labels, {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  });
}

function defaultService(service: KubeObject): void {
  const spec = ensureRecord(service, 'spec');
  defaults(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
  for (const port of recordsAt(spec, 'ports')) {
    defaults(port, { protocol: 'TCP', targetPort: port['port'] });
  }
  if (spec['sessionAffinity'] === 'ClientIP') {
    const affinity = ensureRecord(ensureRecord(spec, 'sessionAffinityConfig'), 'clientIP');
    defaults(affinity, { timeoutSeconds: 10_800 });
  }
  const type = textAt(spec, 'type');
  if (type === 'ExternalName') return;
  defaults(spec, { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  if (type === 'NodePort' || type === 'LoadBalancer') defaults(spec, { externalTrafficPolicy: 'Cluster' });
  if (type === 'LoadBalancer') defaults(spec, { allocateLoadBalancerNodePorts: true });
}

function defaultPorts(owner: Members, more: Members = {}): void {
  for (const port of recordsAt(owner, 'ports')) defaults(port, { ...more, protocol: 'TCP' });
}

function defaultBinding(binding: KubeObject): void {
  defaults(recordAt(binding, 'roleRef'), { apiGroup: 'rbac.authorization.k8s.io' });
  for (const subject of recordsAt(binding, 'subjects')) {
    if (subject['kind'] !== 'ServiceAccount') defaults(subject, { apiGroup: 'rbac.authorization.k8s.io' });
  }
}

function defaultDefinition(definition: KubeObject): void {
  const spec = ensureRecord(definition, 'spec');
  const names = ensureRecord(spec, 'names');
  const kind = textAt(names, 'kind') ?? '';
  defaults(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
  defaults(ensureRecord(spec, 'conversion'), { strategy: 'None' });
}
