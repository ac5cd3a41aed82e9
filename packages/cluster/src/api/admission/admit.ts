import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { timestamp } from '@updraft/kit';
import type { KubeObject } from '../../store/types.ts';
import { allocateService } from '../allocation.ts';
import type { ApiContext } from '../context.ts';
import { admitDefinition, checkCanBeMade } from '../custom/admit-definition.ts';
import { DEFINITIONS } from '../custom/definition.ts';
import { applySchemaDefaults } from '../custom/shape-value.ts';
import type { ServedResource } from '../resources.ts';
import { SIGNING_REQUESTS, nextStatus } from '../signing/request.ts';
import { validateDecision } from '../signing/validate.ts';
import { notFound } from '../status.ts';
import { admitStatus } from './admit-status.ts';
import { applyDefaults } from './defaults.ts';
import { checkNamespaceIsOpen } from './policies/namespace-lifecycle.ts';
import { admitByPolicies } from './policies/policies.ts';
import { recordsAt } from './members.ts';
import { qosClassOf } from './quality.ts';
import { EPHEMERAL, EPHEMERAL_FIELD, validateEphemeralChange } from './validate-ephemeral.ts';
import { validate } from './validate.ts';

/** What a kind's status is at the beginning; the others begin with an empty one. */
const FIRST_STATUS: Readonly<Record<string, (object: KubeObject) => Record<string, unknown>>> = {
  pods: (pod) => ({ phase: 'Pending', qosClass: qosClassOf(pod.spec ?? {}) }),
  namespaces: () => ({ phase: 'Active' }),
  persistentvolumeclaims: () => ({ phase: 'Pending' }),
  persistentvolumes: () => ({ phase: 'Pending' }),
  services: () => ({ loadBalancer: {} }),
  'ingresses.networking.k8s.io': () => ({ loadBalancer: {} }),
  'replicasets.apps': () => ({ replicas: 0 }),
  'statefulsets.apps': () => ({ availableReplicas: 0, replicas: 0 }),
};

/**
 * Makes a new object ready to be stored: server's metadata, defaults, checks, addresses. Changes and gives back `object`.
 * @throws ApiFault 403, 404, 422
 */
export function admitCreate(
  context: ApiContext,
  type: ServedResource,
  object: KubeObject,
  uid: string = randomUUID(),
): KubeObject {
  const { metadata } = object;
  metadata.uid = uid;
  metadata.creationTimestamp = timestamp(context.clock.now());
  metadata.resourceVersion = '';
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata['selfLink' as keyof typeof metadata];
  if (type.hasGeneration) metadata.generation = 1;
  else delete metadata.generation;
  if (type.namespaced) checkNamespace(context, type, object);
  if (type.custom) checkCanBeMade(type.custom);
  setDefaults(type, object);
  if (type.subresources.includes('status')) setFirstStatus(type, object);
  validate(type, object, undefined);
  admitKind(context, type, { object, before: undefined });
  return object;
}

/**
 * Makes a changed object ready to be stored: what the client may not change comes from `before`.
 * Changes and gives back `object`.
 * @throws ApiFault 422
 */
export function admitUpdate(
  context: ApiContext,
  type: ServedResource,
  change: { readonly object: KubeObject; readonly before: KubeObject },
): KubeObject {
  const { object, before } = change;
  const { metadata } = object;
  metadata.uid ||= before.metadata.uid;
  metadata.creationTimestamp = before.metadata.creationTimestamp;
  copyOrDelete(metadata, before.metadata, ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation']);
  delete metadata['selfLink' as keyof typeof metadata];
  if (type.subresources.includes('status')) {
    if (before.status === undefined) delete object.status;
    else object.status = structuredClone(before.status);
  }
  setDefaults(type, object);
  // A client that leaves the address out means "as it is".
  admitKind(context, type, change);
  validate(type, object, before);
  raiseGeneration(type, object, before);
  return object;
}

/**
 * The same for what comes by the object's own path or by that of a part of it.
 * @throws ApiFault 422
 */
export function admitChange(
  context: ApiContext,
  { type, subresource }: { readonly type: ServedResource; readonly subresource: string | undefined },
  change: { readonly object: KubeObject; readonly before: KubeObject },
): KubeObject {
  const { object, before } = change;
  if (subresource !== undefined && type.storedAs === SIGNING_REQUESTS) {
    const time = timestamp(context.clock.now());
    const status = nextStatus(subresource, change, time);
    const decided = admitStatus(type, { ...object, status }, before);
    validate(type, decided, before, validateDecision);
    return decided;
  }
  if (subresource === 'status') return admitStatus(type, object, before);
  if (subresource === EPHEMERAL) return admitEphemeral(type, object, before);
  return admitUpdate(context, type, change);
}

/** Only the ephemeral containers (and who owns their fields) are taken from `object`. */
function admitEphemeral(type: ServedResource, object: KubeObject, before: KubeObject): KubeObject {
  const metadata = structuredClone(before.metadata);
  metadata.resourceVersion = object.metadata.resourceVersion;
  const next: KubeObject = { ...structuredClone(before), metadata };
  const containers = recordsAt(object.spec, EPHEMERAL_FIELD);
  const { [EPHEMERAL_FIELD]: _before, ...spec } = next.spec ?? {};
  next.spec = containers.length > 0 ? { ...spec, [EPHEMERAL_FIELD]: containers } : spec;
  setDefaults(type, next);
  validate(type, next, before, validateEphemeralChange);
  raiseGeneration(type, next, before);
  return next;
}

export function raiseGeneration(type: ServedResource, object: KubeObject, before: KubeObject): void {
  if (!type.hasGeneration) return;
  const changed = !isDeepStrictEqual(desired(type, object), desired(type, before));
  object.metadata.generation = (before.metadata.generation ?? 1) + (changed ? 1 : 0);
}

/** All but metadata and, where it has a path of its own, status. */
function desired(type: ServedResource, object: KubeObject): Record<string, unknown> {
  const { metadata: _metadata, status, ...rest } = object;
  return type.custom && !type.subresources.includes('status') ? { ...rest, status } : rest;
}

/** Fills in what is stored for what was left out. Changes the object it is given. */
export function setDefaults(type: ServedResource, object: KubeObject): void {
  if (type.custom) applySchemaDefaults(type.custom.schema, object);
  else applyDefaults(type.storedAs, object);
}

/** Nobody writes the status of what does not exist yet. */
function setFirstStatus(type: ServedResource, object: KubeObject): void {
  if (type.custom) delete object.status;
  else object.status = FIRST_STATUS[type.storedAs]?.(object) ?? {};
}

function copyOrDelete<T extends object>(target: T, source: T, keys: readonly (keyof T)[]): void {
  for (const key of keys) {
    if (source[key] === undefined) delete target[key];
    else target[key] = source[key];
  }
}

function checkNamespace(context: ApiContext, type: ServedResource, object: KubeObject): void {
  const name = object.metadata.namespace ?? '';
  if (!context.store.get('namespaces', undefined, name))
    throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, name);
  checkNamespaceIsOpen(context.store, type, object);
}

function admitKind(
  context: ApiContext,
  type: ServedResource,
  change: { readonly object: KubeObject; readonly before: KubeObject | undefined },
): void {
  const { object, before } = change;
  if (type.storedAs === 'services') allocateService(object, before, context);
  if (type.storedAs === DEFINITIONS) admitDefinition(context, object, before);
  // What was asked for stays what it was: somebody may have approved it.
  if (before?.spec && type.storedAs === SIGNING_REQUESTS) object.spec = structuredClone(before.spec);
  if (!before && type.storedAs === 'persistentvolumeclaims') chooseStorageClass(context, object);
  if (!before && type.storedAs === 'ingresses.networking.k8s.io') chooseIngressClass(context, object);
  admitByPolicies(context.store, { resource: type.storedAs, object, before });
}

function chooseStorageClass({ store }: ApiContext, claim: KubeObject): void {
  if (!claim.spec || claim.spec['storageClassName'] !== undefined) return;
  const standard = defaultOf(store.list('storageclasses.storage.k8s.io'));
  if (standard) claim.spec['storageClassName'] = standard;
}

/** The annotation is what classes were written with before they had a field. */
function chooseIngressClass({ store }: ApiContext, ingress: KubeObject): void {
  if (!ingress.spec || ingress.spec['ingressClassName'] !== undefined) return;
  if (ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
  const standard = defaultOf(store.list('ingressclasses.networking.k8s.io'));
  if (standard) ingress.spec['ingressClassName'] = standard;
}

/** Name of the class that objects get which name none; the group in the annotation is `storageclass` or `ingressclass`. */
function defaultOf(classes: readonly KubeObject[]): string | undefined {
  return classes.find(({ kind, metadata }) => {
    const key = `${kind.toLowerCase()}.kubernetes.io/is-default-class`;
    return metadata.annotations?.[key] === 'true';
  })?.metadata.name;
}
