import type { KubeObject, WatchEvent } from '../../store/types.ts';
import type {
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Service,
} from '../../kinds/network.ts';
import type { Draft } from '../../kinds/objects.ts';
import { matchesLabels } from '../../kinds/selectors.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { mirrorOf, MIRROR_CONTROLLER } from './mirror.ts';
import { MANAGED_BY, podsOf, SERVICE_NAME, SKIP_MIRROR, SLICE_CONTROLLER, slicesFor } from './slices.ts';

/** Keeps EndpointSlices, and Endpoints as their mirror, equal to what the pods behind each Service are. */
export function endpointsController(context: ControllerContext): Controller {
  return {
    name: 'endpoints',
    resources: ['services', 'pods', 'endpoints'],
    keys: (event) => (event.resource === 'pods' ? servicesOf(context, event) : [keyOf(event.object)]),
    reconcile: (key) => reconcile(context, key),
  };
}

const touches = (pod: KubeObject | undefined, service: Service) =>
  pod !== undefined && matchesLabels(service.spec.selector, pod.metadata.labels);

/** Services whose endpoints may differ after this change of a pod, also those it no longer belongs to. */
function servicesOf(context: ControllerContext, { object, previous }: WatchEvent): string[] {
  const services = context.objects.list('services', object.metadata.namespace);
  return services.filter((service) => touches(object, service) || touches(previous, service)).map(keyOf);
}

function reconcile(context: ControllerContext, key: string): void {
  const { namespace, name } = splitKey(key);
  const service = context.objects.get('services', namespace, name);
  const hasSelector = Object.keys(service?.spec.selector ?? {}).length > 0;
  if (!service || (hasSelector && service.spec.type !== 'ExternalName')) {
    const pods = service ? podsOf(service, context.objects.list('pods', namespace)) : [];
    const wanted = service ? slicesFor(service, pods) : [];
    putSlices(context, { namespace, name }, wanted);
    if (service) putEndpoints(context, service, wanted);
    else removeEndpoints(context, namespace, name);
  } else if (service.spec.type !== 'ExternalName') {
    putSlices(context, { namespace, name }, mirroredSlices(context, service));
  }
}

/** Endpoints that were made by hand for a Service without selector, as slices. */
function mirroredSlices({ objects }: ControllerContext, service: Service): Draft<EndpointSlice>[] {
  const { namespace, name } = service.metadata;
  const endpoints = objects.get('endpoints', namespace, name);
  if (!endpoints || endpoints.metadata.labels?.[SKIP_MIRROR] === 'true') return [];
  return (endpoints.subsets ?? []).map((subset, index) => mirrorOf(service, subset, index));
}

const isOwnSlice = (slice: EndpointSlice, service: string) =>
  slice.metadata.labels?.[SERVICE_NAME] === service &&
  [SLICE_CONTROLLER, MIRROR_CONTROLLER].includes(slice.metadata.labels[MANAGED_BY] ?? '');

function putSlices(
  context: ControllerContext,
  of: { namespace: string; name: string },
  wanted: readonly Draft<EndpointSlice>[],
): void {
  const resource = 'endpointslices.discovery.k8s.io';
  const { objects } = context;
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const slice of wanted) {
    const stored = objects.modify(resource, of.namespace, slice.metadata.name, (present) => {
      present.endpoints = slice.endpoints;
      present.ports = slice.ports;
      if (slice.metadata.labels) present.metadata.labels = slice.metadata.labels;
    });
    if (!stored) objects.create(resource, slice);
  }
  for (const slice of objects.list(resource, of.namespace)) {
    const stale = isOwnSlice(slice, of.name) && !names.has(slice.metadata.name);
    if (stale) objects.store.remove(resource, of.namespace, slice.metadata.name);
  }
}

function putEndpoints(
  context: ControllerContext,
  service: Service,
  slices: readonly Draft<EndpointSlice>[],
): void {
  const { namespace, name } = service.metadata;
  const subsets = slices.map(subsetOf).filter((subset) => subset !== undefined);
  const labels = { ...service.metadata.labels, [SKIP_MIRROR]: 'true' };
  const draft: Draft<Endpoints> = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels },
    ...(subsets.length > 0 ? { subsets } : {}),
  };
  const stored = context.objects.modify('endpoints', namespace, name, (present) => {
    if (subsets.length > 0) present.subsets = subsets;
    else delete present.subsets;
    present.metadata.labels = labels;
  });
  if (!stored) context.objects.create('endpoints', draft);
}

/** Endpoints know neither serving nor terminating: a pod on its way out is left out. */
function subsetOf(slice: Draft<EndpointSlice>): EndpointSubset | undefined {
  const ready: EndpointAddress[] = [];
  const notReady: EndpointAddress[] = [];
  for (const { addresses, conditions, hostname, nodeName, targetRef } of slice.endpoints) {
    const [ip] = addresses;
    if (ip === undefined || (conditions.terminating && !conditions.ready)) continue;
    const address: EndpointAddress = {
      ip,
      ...(hostname === undefined ? {} : { hostname }),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(targetRef === undefined ? {} : { targetRef }),
    };
    (conditions.ready ? ready : notReady).push(address);
  }
  if (ready.length + notReady.length === 0) return undefined;
  const ports = slice.ports.map(({ name = '', ...port }) => (name === '' ? port : { name, ...port }));
  return {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
    ports,
  };
}

function removeEndpoints(context: ControllerContext, namespace: string, name: string): void {
  const mirror = context.objects.get('endpoints', namespace, name);
  if (mirror?.metadata.labels?.[SKIP_MIRROR] === 'true')
    context.objects.store.remove('endpoints', namespace, name);
}
