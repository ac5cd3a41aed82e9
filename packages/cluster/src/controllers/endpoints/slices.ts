import type { IntOrString } from '../../kinds/meta.ts';
import type { Draft } from '../../kinds/objects.ts';
import type { EndpointSlice, Service, ServicePort, SliceEndpoint, SlicePort } from '../../kinds/network.ts';
import type { Pod } from '../../kinds/pod.ts';
import { selects } from '../../kinds/selectors.ts';
import { shortHash } from '../naming.ts';
import { controllerReference } from '../ownership.ts';
import { isFinished, isReady, isTerminating } from '../pods.ts';

export const SERVICE_NAME = 'kubernetes.io/service-name';
/** On Endpoints that have slices of their own. */
export const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const SLICE_CONTROLLER = 'endpointslice-controller.kubernetes.io';

/** The number behind a target port: itself, or the container port of that name; undefined when the pod has none. */
export function resolvePort(
  pod: Pod,
  target: IntOrString | undefined,
  otherwise: number,
): number | undefined {
  if (target === undefined) return otherwise;
  if (typeof target === 'number') return target === 0 ? otherwise : target;
  if (/^\d+$/.test(target)) return Number(target);
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === target)?.containerPort;
}

function slicePorts(service: Service, pod: Pod): SlicePort[] {
  const resolve = (port: ServicePort): SlicePort[] => {
    const number = resolvePort(pod, port.targetPort, port.port);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  };
  return (service.spec.ports ?? []).flatMap(resolve);
}

function endpointFor(service: Service, pod: Pod, address: string): SliceEndpoint {
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const { hostname, subdomain, nodeName } = pod.spec;
  return {
    addresses: [address],
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname !== undefined && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: {
      kind: 'Pod',
      name: pod.metadata.name,
      ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
      uid: pod.metadata.uid,
    },
  };
}

/** The slices a Service should have: one for each set of port numbers its pods resolve to, at least one. */
export function slicesFor(service: Service, pods: readonly Pod[]): Draft<EndpointSlice>[] {
  const groups = new Map<string, { ports: SlicePort[]; endpoints: SliceEndpoint[] }>();
  for (const pod of pods) {
    const address = pod.status?.podIP;
    if (address === undefined || isFinished(pod)) continue;
    const ports = slicePorts(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointFor(service, pod, address));
    groups.set(key, group);
  }
  if (groups.size === 0) groups.set('[]', { ports: [], endpoints: [] });
  return [...groups].map(([key, group]) => slice(service, key, group));
}

function slice(
  service: Service,
  key: string,
  group: { ports: SlicePort[]; endpoints: SliceEndpoint[] },
): Draft<EndpointSlice> {
  const { name, namespace } = service.metadata;
  const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${shortHash(`${service.metadata.uid}${key}`).slice(0, 5)}`,
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        ...service.metadata.labels,
        ...headless,
        [SERVICE_NAME]: name,
        [MANAGED_BY]: SLICE_CONTROLLER,
      },
      ownerReferences: [controllerReference(service)],
      generation: 1,
    },
    addressType: 'IPv4',
    ports: group.ports,
    endpoints: group.endpoints,
  };
}

/** The pods a Service selects. A Service without selector selects none: its endpoints are somebody else's business. */
export function podsOf(service: Service, pods: readonly Pod[]): Pod[] {
  const { selector } = service.spec;
  return pods.filter((pod) => selects({ matchLabels: selector ?? {} }, pod.metadata.labels));
}
