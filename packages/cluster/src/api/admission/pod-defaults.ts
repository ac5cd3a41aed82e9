import { defaults, ensureRecord, recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';

const MODE_0644 = 0o644;

/** What every pod specification gets, in a pod or in a template. */
export function defaultPodSpec(spec: Members): void {
  defaults(spec, {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    securityContext: {},
  });
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    for (const container of recordsAt(spec, list)) defaultContainer(container);
  for (const volume of recordsAt(spec, 'volumes')) defaultVolume(volume);
  // The older name of the same thing; both are kept equal.
  const account = spec['serviceAccountName'] ?? spec['serviceAccount'];
  if (account !== undefined) Object.assign(spec, { serviceAccountName: account, serviceAccount: account });
}

/** What a pod gets beyond that when it is created. */
export function defaultPod(pod: Members): void {
  const spec = ensureRecord(pod, 'spec');
  defaultPodSpec(spec);
  defaults(spec, {
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    serviceAccount: 'default',
    serviceAccountName: 'default',
  });
  for (const container of [...recordsAt(spec, 'containers'), ...recordsAt(spec, 'initContainers')]) {
    const resources = recordAt(container, 'resources');
    const limits = recordAt(resources, 'limits');
    if (Object.keys(limits).length > 0) defaults(ensureRecord(resources, 'requests'), limits);
  }
}

function defaultContainer(container: Members): void {
  defaults(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullsAlways(textAt(container, 'image') ?? '') ? 'Always' : 'IfNotPresent',
    resources: {},
  });
  for (const port of recordsAt(container, 'ports')) defaults(port, { protocol: 'TCP' });
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (container[probe] !== undefined) defaultProbe(recordAt(container, probe));
  }
  const lifecycle = recordAt(container, 'lifecycle');
  for (const hook of ['postStart', 'preStop']) defaultHandler(recordAt(lifecycle, hook));
  for (const variable of recordsAt(container, 'env')) {
    const from = recordAt(variable, 'valueFrom');
    if (from['fieldRef'] !== undefined) defaults(recordAt(from, 'fieldRef'), { apiVersion: 'v1' });
    if (from['resourceFieldRef'] !== undefined)
      defaults(recordAt(from, 'resourceFieldRef'), { divisor: '0' });
  }
}

/** No tag, or `latest`: the name may mean another image tomorrow. */
function pullsAlways(image: string): boolean {
  if (image.includes('@')) return false;
  const name = image.slice(image.lastIndexOf('/') + 1);
  return !name.includes(':') || name.endsWith(':latest');
}

function defaultProbe(probe: Members): void {
  defaults(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  if (probe['grpc'] !== undefined) defaults(recordAt(probe, 'grpc'), { service: '' });
  defaultHandler(probe);
}

function defaultHandler(handler: Members): void {
  if (handler['httpGet'] !== undefined) defaults(recordAt(handler, 'httpGet'), { path: '/', scheme: 'HTTP' });
}

function defaultVolume(volume: Members): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume['emptyDir'] = {};
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    if (volume[source] !== undefined) defaults(recordAt(volume, source), { defaultMode: MODE_0644 });
  }
  if (volume['hostPath'] !== undefined) defaults(recordAt(volume, 'hostPath'), { type: '' });
  for (const source of recordsAt(recordAt(volume, 'projected'), 'sources')) {
    if (source['serviceAccountToken'] !== undefined) {
      defaults(recordAt(source, 'serviceAccountToken'), { expirationSeconds: 3600 });
    }
    defaultFieldPaths(recordAt(source, 'downwardAPI'));
  }
  defaultFieldPaths(recordAt(volume, 'downwardAPI'));
}

function defaultFieldPaths(source: Members): void {
  for (const item of recordsAt(source, 'items')) {
    if (item['fieldRef'] !== undefined) defaults(recordAt(item, 'fieldRef'), { apiVersion: 'v1' });
  }
}
