import { numberAt, recordAt, recordsAt, textAt } from '../admission/members.ts';
import type { KubeObject } from '../../store/types.ts';
import { autoscalerTargets } from './autoscaler-cells.ts';
import { NONE, age, duration, labelText, listOr, selectorText } from './format.ts';
import { summarisePod } from './pod-cells.ts';

/** A column of a kind's table; `wide` ones show with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer';
  readonly wide: boolean;
  readonly cell: (object: KubeObject, nowMs: number) => string | number | boolean;
}

type Cell = Column['cell'];

const text = (name: string, cell: Cell): Column => ({ name, type: 'string', wide: false, cell });
const count = (name: string, cell: Cell): Column => ({ name, type: 'integer', wide: false, cell });
const wide = (name: string, cell: Cell): Column => ({ name, type: 'string', wide: true, cell });

export const NAME = text('Name', (object) => object.metadata.name);
export const AGE = text('Age', (object, nowMs) => age(object.metadata.creationTimestamp, nowMs));

const spec = (object: unknown) => recordAt(object, 'spec');
const status = (object: unknown) => recordAt(object, 'status');
const specNumber =
  (key: string, otherwise = 0) =>
  (object: KubeObject) =>
    numberAt(object.spec, key) ?? otherwise;
const statusNumber = (key: string) => (object: KubeObject) => numberAt(object.status, key) ?? 0;

const podSpecOf = (object: KubeObject) => recordAt(recordAt(object.spec, 'template'), 'spec');
const containersOf = (object: KubeObject) => recordsAt(podSpecOf(object), 'containers');
const CONTAINERS = wide('Containers', (object) =>
  listOr(containersOf(object).map((each) => textAt(each, 'name') ?? '')),
);
const IMAGES = wide('Images', (object) =>
  listOr(containersOf(object).map((each) => textAt(each, 'image') ?? '')),
);
const SELECTOR = wide('Selector', (object) => selectorText(object.spec?.['selector']));

function externalAddress(service: KubeObject): string {
  const type = textAt(service.spec, 'type');
  if (type === 'ExternalName') return textAt(service.spec, 'externalName') ?? NONE;
  const given = (service.spec?.['externalIPs'] as string[] | undefined) ?? [];
  if (type !== 'LoadBalancer') return listOr(given);
  const points = recordsAt(recordAt(service.status, 'loadBalancer'), 'ingress');
  return listOr(
    [...points.map((point) => textAt(point, 'ip') ?? textAt(point, 'hostname') ?? ''), ...given],
    '<pending>',
  );
}

function signingState({ status: state }: KubeObject): string {
  const types = new Set(recordsAt(state, 'conditions').map((condition) => textAt(condition, 'type')));
  const decision = types.has('Approved') ? 'Approved' : types.has('Denied') ? 'Denied' : 'Pending';
  const words = [decision, ...(types.has('Failed') ? ['Failed'] : [])];
  return [...words, ...(textAt(state, 'certificate') ? ['Issued'] : [])].join(',');
}

function servicePorts(service: KubeObject): string {
  return listOr(
    recordsAt(service.spec, 'ports').map((port) => {
      const node = numberAt(port, 'nodePort');
      return `${numberAt(port, 'port') ?? ''}${node ? `:${node}` : ''}/${textAt(port, 'protocol') ?? 'TCP'}`;
    }),
  );
}

function ingressAddress(ingress: KubeObject): string {
  const points = recordsAt(recordAt(ingress.status, 'loadBalancer'), 'ingress');
  return points.map((point) => textAt(point, 'ip') ?? textAt(point, 'hostname') ?? '').join(',');
}

function ingressHosts(ingress: KubeObject): string {
  const hosts = recordsAt(ingress.spec, 'rules').map((rule) => textAt(rule, 'host') ?? '*');
  const shown = [...new Set(hosts)];
  if (shown.length > 3) return `${shown.slice(0, 3).join(',')} + ${shown.length - 3} more...`;
  return shown.length === 0 ? '*' : shown.join(',');
}

function jobStatus(job: KubeObject): string {
  const has = (type: string) =>
    recordsAt(job.status, 'conditions').some((each) => each['type'] === type && each['status'] === 'True');
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  return has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function jobCompletions(job: KubeObject): string {
  const done = numberAt(job.status, 'succeeded') ?? 0;
  const wanted = numberAt(job.spec, 'completions');
  if (wanted !== undefined) return `${done}/${wanted}`;
  const parallelism = numberAt(job.spec, 'parallelism') ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function jobDuration(job: KubeObject, nowMs: number): string {
  const start = textAt(job.status, 'startTime');
  if (!start) return '';
  const end = textAt(job.status, 'completionTime');
  return duration((end ? Date.parse(end) : nowMs) - Date.parse(start));
}

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function accessModes(modes: unknown): string {
  return Array.isArray(modes) ? modes.map((mode) => MODES[String(mode)] ?? String(mode)).join(',') : '';
}

const storage = (owner: unknown) => textAt(recordAt(owner, 'capacity'), 'storage') ?? '';

function nodeStatus(node: KubeObject): string {
  const ready = recordsAt(node.status, 'conditions').find((each) => each['type'] === 'Ready');
  const words = [ready ? (ready['status'] === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (spec(node)['unschedulable'] === true) words.push('SchedulingDisabled');
  return words.join(',');
}

const ROLE = 'node-role.kubernetes.io/';

function nodeRoles(node: KubeObject): string {
  const labels = Object.keys(node.metadata.labels ?? {});
  return listOr(labels.filter((label) => label.startsWith(ROLE)).map((label) => label.slice(ROLE.length)));
}

const nodeInfo = (key: string) => (node: KubeObject) =>
  textAt(recordAt(node.status, 'nodeInfo'), key) ?? '<unknown>';
const nodeAddress = (type: string) => (node: KubeObject) =>
  textAt(
    recordsAt(node.status, 'addresses').find((each) => each['type'] === type),
    'address',
  ) ?? NONE;

const since = (time: unknown, nowMs: number) => age(time, nowMs);

function eventObject(event: KubeObject): string {
  const about = recordAt(event, 'involvedObject');
  return `${(textAt(about, 'kind') ?? '').toLowerCase()}/${textAt(about, 'name') ?? ''}`;
}

function endpointText(endpoints: KubeObject): string {
  const all = recordsAt(endpoints, 'subsets').flatMap((subset) => {
    const ports = recordsAt(subset, 'ports');
    return recordsAt(subset, 'addresses').flatMap((address) =>
      ports.length === 0
        ? [textAt(address, 'ip') ?? '']
        : ports.map((port) => `${textAt(address, 'ip') ?? ''}:${numberAt(port, 'port') ?? ''}`),
    );
  });
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : listOr(all);
}

/** What is used of what there may be; what begins with `limits.` in a column of its own. */
function quotaText(quota: KubeObject, ofLimits: boolean): string {
  const hard = recordAt(quota.status, 'hard');
  const used = recordAt(quota.status, 'used');
  return Object.keys(hard)
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .toSorted()
    .map((name) => `${name}: ${textAt(used, name) ?? '0'}/${textAt(hard, name) ?? ''}`)
    .join(', ');
}

const keysOf = (object: KubeObject, field: string) => Object.keys(recordAt(object, field)).length;

const roleText = (binding: KubeObject) => {
  const role = recordAt(binding, 'roleRef');
  return `${textAt(role, 'kind') ?? ''}/${textAt(role, 'name') ?? ''}`;
};

const subjectsOf = (kind: string) => (binding: KubeObject) =>
  recordsAt(binding, 'subjects')
    .filter((subject) => subject['kind'] === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${String(namespace)}/${String(name)}` : name))
    .join(', ');

const WEBHOOK_CONFIGURATION = [
  NAME,
  count('Webhooks', (object) => recordsAt(object, 'webhooks').length),
  AGE,
];

const BINDING = [
  NAME,
  text('Role', roleText),
  AGE,
  wide('Users', subjectsOf('User')),
  wide('Groups', subjectsOf('Group')),
  wide('ServiceAccounts', subjectsOf('ServiceAccount')),
];

const intOrText = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : 'N/A';

const CREATED_AT = text('Created At', (object) => object.metadata.creationTimestamp);

/** By the store's name of the resource. */
export const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'customresourcedefinitions.apiextensions.k8s.io': [
    NAME,
    text('Created At', (object) => object.metadata.creationTimestamp),
  ],
  pods: [
    NAME,
    text('Ready', (pod, nowMs) => summarisePod(pod, nowMs).ready),
    text('Status', (pod, nowMs) => summarisePod(pod, nowMs).status),
    text('Restarts', (pod, nowMs) => summarisePod(pod, nowMs).restarts),
    AGE,
    wide('IP', (pod) => textAt(pod.status, 'podIP') ?? NONE),
    wide('Node', (pod) => textAt(pod.spec, 'nodeName') ?? NONE),
    wide('Nominated Node', (pod) => textAt(pod.status, 'nominatedNodeName') ?? NONE),
    wide('Readiness Gates', (pod) => {
      const gates = recordsAt(pod.spec, 'readinessGates');
      const conditions = recordsAt(pod.status, 'conditions');
      const met = gates.filter((gate) =>
        conditions.some((each) => each['type'] === gate['conditionType'] && each['status'] === 'True'),
      );
      return gates.length === 0 ? NONE : `${met.length}/${gates.length}`;
    }),
  ],
  'deployments.apps': [
    NAME,
    text(
      'Ready',
      (object) => `${statusNumber('readyReplicas')(object)}/${specNumber('replicas', 1)(object)}`,
    ),
    count('Up-to-date', statusNumber('updatedReplicas')),
    count('Available', statusNumber('availableReplicas')),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'replicasets.apps': [
    NAME,
    count('Desired', specNumber('replicas', 1)),
    count('Current', statusNumber('replicas')),
    count('Ready', statusNumber('readyReplicas')),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'statefulsets.apps': [
    NAME,
    text(
      'Ready',
      (object) => `${statusNumber('readyReplicas')(object)}/${specNumber('replicas', 1)(object)}`,
    ),
    AGE,
    CONTAINERS,
    IMAGES,
  ],
  'daemonsets.apps': [
    NAME,
    count('Desired', statusNumber('desiredNumberScheduled')),
    count('Current', statusNumber('currentNumberScheduled')),
    count('Ready', statusNumber('numberReady')),
    count('Up-to-date', statusNumber('updatedNumberScheduled')),
    count('Available', statusNumber('numberAvailable')),
    text('Node Selector', (object) => labelText(recordAt(podSpecOf(object), 'nodeSelector'))),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'jobs.batch': [
    NAME,
    text('Status', jobStatus),
    text('Completions', jobCompletions),
    text('Duration', jobDuration),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  'cronjobs.batch': [
    NAME,
    text('Schedule', (job) => textAt(job.spec, 'schedule') ?? ''),
    text('Timezone', (job) => textAt(job.spec, 'timeZone') ?? NONE),
    text('Suspend', (job) => (spec(job)['suspend'] === true ? 'True' : 'False')),
    count('Active', (job) => recordsAt(job.status, 'active').length),
    text('Last Schedule', (job, nowMs) => {
      const last = textAt(job.status, 'lastScheduleTime');
      return last ? since(last, nowMs) : NONE;
    }),
    AGE,
  ],
  services: [
    NAME,
    text('Type', (service) => textAt(service.spec, 'type') ?? ''),
    text('Cluster-IP', (service) => textAt(service.spec, 'clusterIP') ?? NONE),
    text('External-IP', externalAddress),
    text('Port(s)', servicePorts),
    AGE,
    wide('Selector', (service) => labelText(recordAt(service.spec, 'selector'))),
  ],
  endpoints: [NAME, text('Endpoints', endpointText), AGE],
  'endpointslices.discovery.k8s.io': [
    NAME,
    text('AddressType', (slice) => textAt(slice, 'addressType') ?? ''),
    text('Ports', (slice) =>
      listOr(
        recordsAt(slice, 'ports').map((port) => String(numberAt(port, 'port') ?? '*')),
        '<unset>',
      ),
    ),
    text('Endpoints', (slice) =>
      listOr(
        recordsAt(slice, 'endpoints').flatMap((each) => (each['addresses'] as string[] | undefined) ?? []),
        '<unset>',
      ),
    ),
    AGE,
  ],
  'ingresses.networking.k8s.io': [
    NAME,
    text('Class', (ingress) => textAt(ingress.spec, 'ingressClassName') ?? NONE),
    text('Hosts', ingressHosts),
    text('Address', ingressAddress),
    text('Ports', (ingress) => (recordsAt(ingress.spec, 'tls').length > 0 ? '80, 443' : '80')),
    AGE,
  ],
  'ingressclasses.networking.k8s.io': [
    NAME,
    text('Controller', (object) => textAt(object.spec, 'controller') ?? ''),
    text('Parameters', (object) => textAt(recordAt(object.spec, 'parameters'), 'name') ?? NONE),
    AGE,
  ],
  'networkpolicies.networking.k8s.io': [
    NAME,
    text('Pod-Selector', (object) => selectorText(object.spec?.['podSelector'])),
    AGE,
  ],
  'certificatesigningrequests.certificates.k8s.io': [
    NAME,
    AGE,
    text('SignerName', (object) => textAt(object.spec, 'signerName') ?? ''),
    text('Requestor', (object) => textAt(object.spec, 'username') ?? ''),
    text('RequestedDuration', (object) => {
      const seconds = numberAt(object.spec, 'expirationSeconds');
      return seconds === undefined ? NONE : duration(seconds * 1000);
    }),
    text('Condition', signingState),
  ],
  configmaps: [NAME, count('Data', (object) => keysOf(object, 'data') + keysOf(object, 'binaryData')), AGE],
  secrets: [
    NAME,
    text('Type', (object) => textAt(object, 'type') ?? ''),
    count('Data', (object) => keysOf(object, 'data')),
    AGE,
  ],
  serviceaccounts: [NAME, count('Secrets', (object) => recordsAt(object, 'secrets').length), AGE],
  namespaces: [NAME, text('Status', (object) => textAt(object.status, 'phase') ?? ''), AGE],
  nodes: [
    NAME,
    text('Status', nodeStatus),
    text('Roles', nodeRoles),
    AGE,
    text('Version', nodeInfo('kubeletVersion')),
    wide('Internal-IP', nodeAddress('InternalIP')),
    wide('External-IP', nodeAddress('ExternalIP')),
    wide('OS-Image', nodeInfo('osImage')),
    wide('Kernel-Version', nodeInfo('kernelVersion')),
    wide('Container-Runtime', nodeInfo('containerRuntimeVersion')),
  ],
  events: [
    text('Last Seen', (event, nowMs) =>
      since(
        textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? textAt(event, 'firstTimestamp'),
        nowMs,
      ),
    ),
    text('Type', (event) => textAt(event, 'type') ?? ''),
    text('Reason', (event) => textAt(event, 'reason') ?? ''),
    text('Object', eventObject),
    wide('Subobject', (event) => textAt(recordAt(event, 'involvedObject'), 'fieldPath') ?? ''),
    wide('Source', (event) => {
      const source = recordAt(event, 'source');
      return [textAt(source, 'component'), textAt(source, 'host')].filter(Boolean).join(', ');
    }),
    text('Message', (event) => (textAt(event, 'message') ?? '').trim()),
    wide('First Seen', (event, nowMs) =>
      since(textAt(event, 'firstTimestamp') ?? textAt(event, 'eventTime'), nowMs),
    ),
    wide('Count', (event) => String(numberAt(event, 'count') ?? 1)),
    wide('Name', (event) => event.metadata.name),
  ],
  persistentvolumeclaims: [
    NAME,
    text('Status', (claim) =>
      claim.metadata.deletionTimestamp ? 'Terminating' : (textAt(claim.status, 'phase') ?? ''),
    ),
    text('Volume', (claim) => textAt(claim.spec, 'volumeName') ?? ''),
    text('Capacity', (claim) => storage(claim.status)),
    text('Access Modes', (claim) => accessModes(status(claim)['accessModes'])),
    text('StorageClass', (claim) => textAt(claim.spec, 'storageClassName') ?? ''),
    text('VolumeAttributesClass', (claim) => textAt(claim.spec, 'volumeAttributesClassName') ?? '<unset>'),
    AGE,
    wide('VolumeMode', (claim) => textAt(claim.spec, 'volumeMode') ?? '<unset>'),
  ],
  persistentvolumes: [
    NAME,
    text('Capacity', (volume) => storage(volume.spec)),
    text('Access Modes', (volume) => accessModes(spec(volume)['accessModes'])),
    text('Reclaim Policy', (volume) => textAt(volume.spec, 'persistentVolumeReclaimPolicy') ?? ''),
    text('Status', (volume) =>
      volume.metadata.deletionTimestamp ? 'Terminating' : (textAt(volume.status, 'phase') ?? ''),
    ),
    text('Claim', (volume) => {
      const claim = recordAt(volume.spec, 'claimRef');
      return textAt(claim, 'name')
        ? `${textAt(claim, 'namespace') ?? ''}/${textAt(claim, 'name') ?? ''}`
        : '';
    }),
    text('StorageClass', (volume) => textAt(volume.spec, 'storageClassName') ?? ''),
    text('VolumeAttributesClass', (volume) => textAt(volume.spec, 'volumeAttributesClassName') ?? '<unset>'),
    text('Reason', (volume) => textAt(volume.status, 'reason') ?? ''),
    AGE,
    wide('VolumeMode', (volume) => textAt(volume.spec, 'volumeMode') ?? '<unset>'),
  ],
  'storageclasses.storage.k8s.io': [
    text('Name', (object) =>
      object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true'
        ? `${object.metadata.name} (default)`
        : object.metadata.name,
    ),
    text('Provisioner', (object) => textAt(object, 'provisioner') ?? ''),
    text('ReclaimPolicy', (object) => textAt(object, 'reclaimPolicy') ?? 'Delete'),
    text('VolumeBindingMode', (object) => textAt(object, 'volumeBindingMode') ?? 'Immediate'),
    text('AllowVolumeExpansion', (object) => String(object['allowVolumeExpansion'] === true)),
    AGE,
  ],
  'poddisruptionbudgets.policy': [
    NAME,
    text('Min Available', (object) => intOrText(spec(object)['minAvailable'])),
    text('Max Unavailable', (object) => intOrText(spec(object)['maxUnavailable'])),
    count('Allowed Disruptions', statusNumber('disruptionsAllowed')),
    AGE,
  ],
  'horizontalpodautoscalers.autoscaling': [
    NAME,
    text('Reference', (object) => {
      const target = recordAt(object.spec, 'scaleTargetRef');
      return `${textAt(target, 'kind') ?? ''}/${textAt(target, 'name') ?? ''}`;
    }),
    text('Targets', autoscalerTargets),
    text('MinPods', (object) => String(numberAt(object.spec, 'minReplicas') ?? '<unset>')),
    count('MaxPods', specNumber('maxReplicas')),
    count('Replicas', statusNumber('currentReplicas')),
    AGE,
  ],
  'roles.rbac.authorization.k8s.io': [NAME, CREATED_AT],
  'clusterroles.rbac.authorization.k8s.io': [NAME, CREATED_AT],
  'rolebindings.rbac.authorization.k8s.io': BINDING,
  'clusterrolebindings.rbac.authorization.k8s.io': BINDING,
  limitranges: [NAME, CREATED_AT],
  resourcequotas: [
    NAME,
    text('Request', (quota) => quotaText(quota, false)),
    text('Limit', (quota) => quotaText(quota, true)),
    AGE,
  ],
  'leases.coordination.k8s.io': [
    NAME,
    text('Holder', (lease) => textAt(lease.spec, 'holderIdentity') ?? ''),
    AGE,
  ],
  'priorityclasses.scheduling.k8s.io': [
    NAME,
    text('Value', (object) => String(numberAt(object, 'value') ?? 0)),
    text('Global-Default', (object) => String(object['globalDefault'] === true)),
    AGE,
    text('PreemptionPolicy', (object) => textAt(object, 'preemptionPolicy') ?? 'PreemptLowerPriority'),
  ],
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOK_CONFIGURATION,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOK_CONFIGURATION,
  'controllerrevisions.apps': [
    NAME,
    text('Controller', (object) => {
      const owner = object.metadata.ownerReferences?.find((each) => each.controller);
      return owner ? `${owner.kind.toLowerCase()}/${owner.name}` : NONE;
    }),
    text('Revision', (object) => String(numberAt(object, 'revision') ?? 0)),
    AGE,
  ],
};
