import { MANAGED_BY, SERVICE_NAME, SKIP_MIRROR } from './controllers/endpoints/slices.ts';
import type { Objects } from './kinds/objects.ts';

const NAME = 'kubernetes';
const NAMESPACE = 'default';
const PORT_NAME = 'https';

/** The API server's own Service address: the first of the range. */
export function apiServiceAddress(serviceCidr: string): string {
  const [base = ''] = serviceCidr.split('/');
  const parts = base.split('.').map(Number);
  return [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join('.');
}

/** Writes the Service by which pods reach the API, and where it leads. */
export function publishApi(
  objects: Objects,
  { network, port }: { network: { serviceCidr: string; gateway: string }; port: number },
): void {
  const { serviceCidr, gateway } = network;
  publishRange(objects, serviceCidr);
  putService(objects, apiServiceAddress(serviceCidr), port);
  const labels = { [SERVICE_NAME]: NAME, [MANAGED_BY]: 'updraft' };
  const ports = [{ name: PORT_NAME, port, protocol: 'TCP' }];
  const conditions = { ready: true, serving: true, terminating: false };
  const endpoints = [{ addresses: [gateway], conditions }];
  const slice = objects.modify('endpointslices.discovery.k8s.io', NAMESPACE, NAME, (stored) => {
    stored.ports = ports;
    stored.endpoints = endpoints;
  });
  if (!slice) {
    objects.create('endpointslices.discovery.k8s.io', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: NAME, namespace: NAMESPACE, labels, generation: 1 },
      addressType: 'IPv4',
      ports,
      endpoints,
    });
  }
  const subsets = [{ addresses: [{ ip: gateway }], ports }];
  // It has its slice already.
  const noMirror = { [SKIP_MIRROR]: 'true' };
  const mirror = objects.modify('endpoints', NAMESPACE, NAME, (stored) => {
    stored.subsets = subsets;
    stored.metadata.labels = { ...stored.metadata.labels, ...noMirror };
  });
  if (!mirror) {
    objects.create('endpoints', {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: NAME, namespace: NAMESPACE, labels: noMirror },
      subsets,
    });
  }
}

/** Says where the addresses of Services come from. */
function publishRange({ store }: Objects, cidr: string): void {
  if (store.get('servicecidrs.networking.k8s.io', undefined, NAME)) return;
  store.create('servicecidrs.networking.k8s.io', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: NAME, uid: '', resourceVersion: '', creationTimestamp: '' },
    spec: { cidrs: [cidr] },
    status: {},
  });
}

function putService(objects: Objects, clusterIP: string, targetPort: number): void {
  const spec = {
    type: 'ClusterIP' as const,
    clusterIP,
    clusterIPs: [clusterIP],
    sessionAffinity: 'None',
    ports: [{ name: PORT_NAME, port: 443, protocol: 'TCP', targetPort }],
  };
  const known = objects.modify('services', NAMESPACE, NAME, (service) => {
    service.spec = { ...service.spec, ...spec };
  });
  if (known) return;
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  objects.create('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME, namespace: NAMESPACE, labels },
    spec,
  });
}
