import { isDeepStrictEqual } from 'node:util';
import type { Namespace } from '../kinds/core.ts';
import type { Condition } from '../kinds/meta.ts';
import { withCondition } from './conditions.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { createComplete } from './creation.ts';
import type { ResourceName } from '../store/types.ts';
import { NOTHING, noteRemaining, remainsConditions } from './namespace-remains.ts';
import type { Remains } from './namespace-remains.ts';

export const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const;
export const ROOT_CA = 'kube-root-ca.crt';

/** The one in the specification that this controller takes off; others are for others to take. */
const OWN_FINALIZER = 'kubernetes';

/** How long after a pod's grace another look is taken at a namespace that should be empty. */
const LOOK_AGAIN_MS = 5000;

/** Gives every namespace its standard objects, and empties those that are being deleted. */
export function namespaceController(context: ControllerContext, certificateAuthority: string): Controller {
  const isClosing = (name: string) =>
    context.objects.get('namespaces', undefined, name)?.metadata.deletionTimestamp !== undefined;
  return {
    name: 'namespace',
    resources: 'all',
    keys: ({ resource, object, type }) => {
      if (resource === 'namespaces') return type === 'DELETED' ? [] : [object.metadata.name];
      const { namespace } = object.metadata;
      if (namespace === undefined) return [];
      const standard =
        (type === 'DELETED' && resource === 'serviceaccounts') ||
        (resource === 'configmaps' && object.metadata.name === ROOT_CA);
      // In a closing namespace whatever appears has to go, and whatever goes may have been the last.
      return standard || (type !== 'MODIFIED' && isClosing(namespace)) ? [namespace] : [];
    },
    reconcile: (name) => {
      const namespace = context.objects.get('namespaces', undefined, name);
      if (!namespace) return undefined;
      if (namespace.metadata.deletionTimestamp === undefined)
        return furnish(context, namespace, certificateAuthority);
      const left = empty(context, name);
      if (left.resources.size === 0) return close(context, name);
      tellRemains(context, name, left);
      return { afterMs: LOOK_AGAIN_MS };
    },
  };
}

/** Makes the namespaces that are always there. */
export function ensureSystemNamespaces(context: Pick<ControllerContext, 'objects'>): void {
  for (const name of SYSTEM_NAMESPACES) {
    if (context.objects.get('namespaces', undefined, name)) continue;
    context.objects.create('namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: [OWN_FINALIZER] },
      status: { phase: 'Active' },
    });
  }
}

function furnish(
  context: ControllerContext,
  { metadata }: Namespace,
  certificateAuthority: string,
): undefined {
  const { objects } = context;
  const namespace = metadata.name;
  if (!objects.get('serviceaccounts', namespace, 'default')) {
    createComplete(context, 'serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    });
  }
  const data = { 'ca.crt': certificateAuthority };
  const known = objects.modify('configmaps', namespace, ROOT_CA, (map) => {
    if (isDeepStrictEqual(map.data, data)) return false;
    map.data = data;
    return undefined;
  });
  if (!known) {
    createComplete(context, 'configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: ROOT_CA, namespace },
      data,
    });
  }
  return undefined;
}

/**
 * Asks the pods of the namespace to go and, once they have, everything else: what they need (credentials, policies that
 * guard them) stays as long as they do. Says what is left.
 */
function empty(context: ControllerContext, namespace: string): Remains {
  const pods = clear(context, namespace, ['pods']);
  if (pods.resources.size > 0) return pods;
  const others = context.catalog.all().filter((resource) => resource.namespaced && resource.name !== 'pods');
  return clear(
    context,
    namespace,
    others.map(({ name }) => name),
  );
}

function clear(context: ControllerContext, namespace: string, resources: readonly ResourceName[]): Remains {
  const left: Remains = { resources: new Map(), finalizers: new Map() };
  for (const resource of resources) {
    for (const { metadata } of context.objects.store.list(resource, namespace)) {
      if (metadata.deletionTimestamp === undefined) {
        context.deletion.delete(resource, namespace, metadata.name, {
          uid: metadata.uid,
          propagationPolicy: 'Background',
        });
      }
      const object = context.objects.store.get(resource, namespace, metadata.name);
      if (object) noteRemaining(left, resource, object.metadata);
    }
  }
  return left;
}

function close(context: ControllerContext, name: string): undefined {
  context.objects.modify('namespaces', undefined, name, (namespace) => {
    const others = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== OWN_FINALIZER);
    namespace.spec = { ...namespace.spec, finalizers: others };
    if (namespace.status?.conditions)
      namespace.status.conditions = conditionsFor(context, namespace, NOTHING);
  });
  const namespace = context.objects.get('namespaces', undefined, name);
  const held = [...(namespace?.spec?.finalizers ?? []), ...(namespace?.metadata.finalizers ?? [])];
  if (namespace && held.length === 0) context.objects.store.remove('namespaces', undefined, name);
  return undefined;
}

/** Says in the namespace's status what it still waits for. */
function tellRemains(context: ControllerContext, name: string, left: Remains): void {
  context.objects.modify('namespaces', undefined, name, (namespace) => {
    namespace.status = { ...namespace.status, conditions: conditionsFor(context, namespace, left) };
  });
}

function conditionsFor(context: ControllerContext, { status }: Namespace, left: Remains): Condition[] {
  const known = remainsConditions(left).reduce(
    (conditions, change) => withCondition(conditions, change, context.clock.now()),
    status?.conditions ?? [],
  );
  return known.map(({ lastUpdateTime: _unused, ...condition }) => condition);
}
