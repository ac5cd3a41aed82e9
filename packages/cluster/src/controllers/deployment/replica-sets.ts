import type { PodTemplate } from '../../kinds/pod.ts';
import type { Deployment, ReplicaSet } from '../../kinds/workloads.ts';
import type { ControllerContext } from '../controller.ts';
import { createComplete } from '../creation.ts';
import { canonicalJson, shortHash } from '../naming.ts';
import { claim, controllerReference } from '../ownership.ts';
import { slackOf } from './rolling.ts';

const HASH_LABEL = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
const HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const OWN_ANNOTATIONS = new Set([
  REVISION,
  HISTORY,
  DESIRED,
  MAX_REPLICAS,
  LAST_APPLIED,
  'deprecated.deployment.rollback.to',
]);

/** The ReplicaSets of a deployment: the one of the present template (when it exists) and the older ones, oldest first. */
export interface Generations {
  next: ReplicaSet | undefined;
  old: ReplicaSet[];
}

const byAge = (a: ReplicaSet, b: ReplicaSet) =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
  byRevision(a, b) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

const byRevision = (a: ReplicaSet, b: ReplicaSet) => {
  const [one, other] = [revisionOf(a), revisionOf(b)];
  return one === other ? 0 : one < other ? -1 : 1;
};

/** A big number: clients may begin at one beyond which other numbers are no longer counted one by one. */
function revisionOf(set: ReplicaSet): bigint {
  const text = set.metadata.annotations?.[REVISION] ?? '';
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** Equal templates are equal apart from the label that tells the ReplicaSets' pods apart. */
function templateText(template: PodTemplate): string {
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata?.labels ?? {};
  return canonicalJson({ ...template, metadata: { ...template.metadata, labels } });
}

export function findGenerations(context: ControllerContext, deployment: Deployment): Generations {
  const sets = claim(context.objects, 'replicasets.apps', deployment).toSorted(byAge);
  const wanted = templateText(deployment.spec.template);
  const next = sets.find((set) => templateText(set.spec.template) === wanted);
  return { next, old: sets.filter((set) => set !== next) };
}

function annotationsFor(deployment: Deployment): Record<string, string> {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !OWN_ANNOTATIONS.has(key),
  );
  const replicas = deployment.spec.replicas ?? 1;
  return {
    ...Object.fromEntries(own),
    [DESIRED]: String(replicas),
    [MAX_REPLICAS]: String(replicas + slackOf(deployment.spec).maxSurge),
  };
}

/**
 * Makes the ReplicaSet of the present template when there is none yet, and gives it the highest revision; one that
 * was there before keeps its older revisions in its history.
 */
export function ensureNext(
  context: ControllerContext,
  deployment: Deployment,
  generations: Generations,
  size: (old: ReplicaSet[]) => number,
): ReplicaSet {
  const { objects } = context;
  const newest = generations.old.toSorted(byRevision).at(-1);
  const highest = newest ? revisionOf(newest) : 0n;
  const existing = generations.next ?? create(context, deployment, size(generations.old));
  const { namespace, name } = existing.metadata;
  const stored = objects.modify('replicasets.apps', namespace, name, (set) => {
    const annotations = { ...set.metadata.annotations, ...annotationsFor(deployment) };
    const present = revisionOf(set);
    if (present <= highest) {
      if (present > 0n) annotations[HISTORY] = [annotations[HISTORY], present].filter(Boolean).join(',');
      annotations[REVISION] = String(highest + 1n);
    }
    set.metadata.annotations = annotations;
    set.spec.minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  });
  const next = stored ?? existing;
  publishRevision(context, deployment, next);
  generations.next = next;
  return next;
}

function publishRevision(context: ControllerContext, deployment: Deployment, next: ReplicaSet): void {
  const { namespace, name } = deployment.metadata;
  context.objects.modify('deployments.apps', namespace, name, (stored) => {
    const revision = String(revisionOf(next));
    if (stored.metadata.annotations?.[REVISION] === revision) return false;
    stored.metadata.annotations = { ...stored.metadata.annotations, [REVISION]: revision };
    return undefined;
  });
}

function create(context: ControllerContext, deployment: Deployment, replicas: number): ReplicaSet {
  const { objects } = context;
  const { namespace } = deployment.metadata;
  for (let collisions = deployment.status?.collisionCount ?? 0; ; collisions += 1) {
    const salt = collisions === 0 ? '' : String(collisions);
    const hash = shortHash(templateText(deployment.spec.template) + salt);
    const name = `${deployment.metadata.name}-${hash}`;
    // A foreign ReplicaSet may have the name: then another hash is taken and the count says so.
    if (objects.get('replicasets.apps', namespace, name)) continue;
    if (salt !== '') noteCollisions(context, deployment, collisions);
    const draft = replicaSetFor(deployment, { name, hash, replicas });
    const created = createComplete(context, 'replicasets.apps', draft);
    if (replicas > 0) scaledEvent(context, deployment, created, { from: 0, to: replicas });
    return created;
  }
}

function noteCollisions(context: ControllerContext, deployment: Deployment, collisionCount: number): void {
  const { namespace, name } = deployment.metadata;
  context.objects.modify('deployments.apps', namespace, name, (stored) => {
    stored.status = { ...stored.status, collisionCount };
  });
}

function replicaSetFor(deployment: Deployment, of: { name: string; hash: string; replicas: number }) {
  const template = structuredClone(deployment.spec.template);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: of.hash };
  template.metadata = { ...template.metadata, labels };
  const selector = structuredClone(deployment.spec.selector);
  selector.matchLabels = { ...selector.matchLabels, [HASH_LABEL]: of.hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: of.name,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: annotationsFor(deployment),
      ownerReferences: [controllerReference(deployment)],
      generation: 1,
    },
    spec: {
      replicas: of.replicas,
      minReadySeconds: deployment.spec.minReadySeconds ?? 0,
      selector,
      template,
    },
    status: { replicas: 0 },
  };
}

export function scale(
  context: ControllerContext,
  deployment: Deployment,
  set: ReplicaSet,
  to: number,
): ReplicaSet {
  const from = set.spec.replicas ?? 0;
  const { namespace, name } = set.metadata;
  const wanted = annotationsFor(deployment);
  const stored = context.objects.modify('replicasets.apps', namespace, name, (copy) => {
    const { [DESIRED]: desired = '', [MAX_REPLICAS]: most = '' } = wanted;
    copy.metadata.annotations = { ...copy.metadata.annotations, [DESIRED]: desired, [MAX_REPLICAS]: most };
    copy.spec.replicas = to;
  });
  if (from !== to) scaledEvent(context, deployment, set, { from, to });
  return stored ?? set;
}

function scaledEvent(
  context: ControllerContext,
  deployment: Deployment,
  set: ReplicaSet,
  size: { from: number; to: number },
): void {
  const direction = size.to > size.from ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${size.from} to ${size.to}`;
  context.events.as('deployment-controller').normal(deployment, 'ScalingReplicaSet', message);
}

/** Takes away old, empty ReplicaSets beyond the limit, oldest revision first. */
export function prune(context: ControllerContext, deployment: Deployment, old: readonly ReplicaSet[]): void {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const empty = old.filter(
    (set) =>
      (set.spec.replicas ?? 0) === 0 && (set.status?.replicas ?? 0) === 0 && !set.metadata.deletionTimestamp,
  );
  const surplus = empty.toSorted(byRevision).slice(0, Math.max(0, old.length - limit));
  for (const { metadata } of surplus) {
    context.deletion.delete('replicasets.apps', metadata.namespace, metadata.name, { uid: metadata.uid });
  }
}
