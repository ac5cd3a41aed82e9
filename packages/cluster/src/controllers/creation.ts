import { randomUUID } from 'node:crypto';
import { admitByPolicies } from '../api/admission/policies/policies.ts';
import { applyDefaults } from '../api/admission/defaults.ts';
import { validate } from '../api/admission/validate.ts';
import { catalogOf } from '../api/catalog.ts';
import { accountGroups } from '../api/service-account.ts';
import type { Gate } from '../api/webhooks/gate.ts';
import type { Draft, Kinds, KnownResource } from '../kinds/objects.ts';
import type { KubeObject } from '../store/types.ts';
import type { ControllerContext } from './controller.ts';

/**
 * Creates an object for a controller as the API would have for a client: with its uid, its defaults, and what the
 * cluster's own rules (quotas, limit ranges, priorities) and webhooks say.
 * @throws ClusterFault ALREADY_EXISTS, ApiFault 403 and those of webhooks, and Awaiting while they are asked
 */
export function createAsClient<R extends KnownResource>(
  { objects, webhooks }: Pick<ControllerContext, 'objects' | 'webhooks'>,
  resource: R,
  draft: Draft<Kinds[R]>,
): Kinds[R] {
  const gate = webhooks?.openForControllers();
  if (gate) {
    const finish = (object: KubeObject) => applyDefaults(resource, object);
    return createReviewed({ objects, gate, finish }, resource, draft);
  }
  const object = { ...draft, metadata: { ...draft.metadata, uid: randomUUID() } };
  const untyped = object as unknown as KubeObject;
  applyDefaults(resource, untyped);
  admitByPolicies(objects.store, { resource, object: untyped, before: undefined });
  return objects.create(resource, object);
}

/** The same for what its controller has written in full: only webhooks have a say in it. */
export function createComplete<R extends KnownResource>(
  { objects, webhooks }: Pick<ControllerContext, 'objects' | 'webhooks'>,
  resource: R,
  draft: Draft<Kinds[R]>,
): Kinds[R] {
  const gate = webhooks?.openForControllers();
  if (!gate) return objects.create(resource, draft);
  return createReviewed({ objects, gate, finish: () => undefined }, resource, draft);
}

interface Reviewing extends Pick<ControllerContext, 'objects'> {
  readonly gate: Gate;
  /** What is left out is filled in, whatever webhooks have done. */
  readonly finish: (object: KubeObject) => void;
}

function createReviewed<R extends KnownResource>(
  { objects, gate, finish }: Reviewing,
  resource: R,
  draft: Draft<Kinds[R]>,
): Kinds[R] {
  const type = catalogOf(objects.store).byStorage(resource);
  if (!type) throw new Error(`nothing is known of ${resource}`);
  const asked = JSON.parse(JSON.stringify(draft)) as KubeObject;
  const { name, generateName } = asked.metadata;
  const isGenerated = generateName !== undefined && name.startsWith(generateName);
  // Another name each time, until it is stored: webhooks are asked about the one they know.
  if (isGenerated) asked.metadata.name = '';
  finish(asked);
  const passage = gate.enter({
    operation: 'CREATE',
    type,
    namespace: asked.metadata.namespace,
    name: asked.metadata.name,
    object: asked,
    before: undefined,
    user: creatorOf(asked),
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  });
  const object = passage.object ?? asked;
  object.metadata.uid = passage.uid;
  object.metadata.name ||= passage.name(() => name);
  finish(object);
  if (passage.isChanged) validate(type, object, undefined);
  admitByPolicies(objects.store, { resource, object, before: undefined });
  passage.leave(object);
  passage.done();
  return objects.create(resource, object as unknown as Draft<Kinds[R]>);
}

const ACCOUNTS: Readonly<Record<string, string>> = {
  CronJob: 'cronjob-controller',
  DaemonSet: 'daemon-set-controller',
  Deployment: 'deployment-controller',
  Job: 'job-controller',
  ReplicaSet: 'replicaset-controller',
  ReplicationController: 'replication-controller',
  StatefulSet: 'statefulset-controller',
};

/** Policies tell controllers from people by their names. */
function creatorOf({ metadata }: KubeObject) {
  const kind = metadata.ownerReferences?.find(({ controller }) => controller)?.kind ?? '';
  const account = ACCOUNTS[kind];
  if (account === undefined)
    return { name: 'system:kube-controller-manager', groups: ['system:authenticated'] };
  const groups = [...accountGroups('kube-system'), 'system:authenticated'];
  return { name: `system:serviceaccount:kube-system:${account}`, groups };
}
