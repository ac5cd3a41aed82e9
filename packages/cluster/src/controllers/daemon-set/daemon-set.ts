import type { Node } from '../../kinds/core.ts';
import type { Pod } from '../../kinds/pod.ts';
import type { DaemonSet, DaemonSetStatus } from '../../kinds/workloads.ts';
import { keyOf, splitKey } from '../controller.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import { passOnAwaiting } from '../../api/webhooks/awaiting.ts';
import { createAsClient } from '../creation.ts';
import { generatedName } from '../naming.ts';
import { claim, keysOfOwners } from '../ownership.ts';
import { availableInMs, isAvailable, isFinished, isReady, isTerminating, podFrom } from '../pods.ts';
import { portionOf } from '../portion.ts';
import { ensureRevision, pruneRevisions, REVISION_LABEL } from '../revisions.ts';
import type { Revision } from '../revisions.ts';
import type { Again } from '../work-queue.ts';
import { nodeOf, placementOn, tiedTo } from './placement.ts';
import type { Placement } from './placement.ts';

const GENERATION_LABEL = 'pod-template-generation';
const COMPONENT = 'daemonset-controller';

/** Keeps one pod on every node that the set is meant for. */
export function daemonSetController(context: ControllerContext): Controller {
  return {
    name: 'daemonset',
    resources: ['daemonsets.apps', 'pods', 'nodes'],
    keys: ({ resource, object, type, previous }) => {
      if (resource === 'daemonsets.apps') return [keyOf(object)];
      if (resource === 'pods')
        return keysOfOwners({ object, type }, 'DaemonSet', () => context.objects.list('daemonsets.apps'));
      const matters = (node: typeof object) => JSON.stringify([node.metadata.labels, node.spec]);
      const same = type === 'MODIFIED' && previous && matters(previous) === matters(object);
      return same ? [] : context.objects.list('daemonsets.apps').map(keyOf);
    },
    reconcile: (key) => reconcile(context, key),
  };
}

/** A node and the set's pods on it. */
interface Post {
  readonly node: Node;
  readonly placement: Placement;
  readonly pods: readonly Pod[];
}

interface Plan {
  readonly set: DaemonSet;
  readonly revision: Revision;
  readonly posts: readonly Post[];
  readonly pods: readonly Pod[];
}

function reconcile(context: ControllerContext, key: string): Again {
  const { namespace, name } = splitKey(key);
  const set = context.objects.get('daemonsets.apps', namespace, name);
  if (!set || set.metadata.deletionTimestamp !== undefined) return undefined;
  const plan = planFor(context, set);
  let failure: unknown;
  try {
    man(context, plan);
    if (set.spec.updateStrategy?.type !== 'OnDelete') roll(context, planFor(context, set));
  } catch (error) {
    failure = error;
  }
  const again = writeStatus(context, planFor(context, set));
  if (failure !== undefined) throw failure;
  return again;
}

function planFor(context: ControllerContext, set: DaemonSet): Plan {
  const revision = ensureRevision(context, set);
  const pods = claim(context.objects, 'pods', set);
  const inUse = new Set([revision.hash, ...pods.map(hashOf)]);
  pruneRevisions(context, set, ({ hash }) => inUse.has(hash));
  const posts = context.objects.list('nodes').map((node) => ({
    node,
    placement: placementOn(set.spec.template, node),
    pods: pods.filter((pod) => nodeOf(pod) === node.metadata.name),
  }));
  return { set, revision, posts, pods };
}

const hashOf = (pod: Pod) => pod.metadata.labels?.[REVISION_LABEL] ?? '';
const isLiving = (pod: Pod) => !isTerminating(pod) && !isFinished(pod);

/** One pod where one belongs, none elsewhere; a failed one makes room for the next. */
function man(context: ControllerContext, plan: Plan): void {
  for (const { node, placement, pods } of plan.posts) {
    for (const pod of pods.filter((one) => isFinished(one) && !isTerminating(one))) {
      dismiss(context, plan.set, pod);
      if (pod.status?.phase === 'Failed') {
        const words = `Found failed daemon pod ${keyOf(pod)} on node ${node.metadata.name}, will try to kill it`;
        context.events.as(COMPONENT).warning(plan.set, 'FailedDaemonPod', words);
      }
    }
    if (!placement.stays) for (const pod of pods.filter(isLiving)) dismiss(context, plan.set, pod);
    else if (placement.runs && pods.length === 0) create(context, plan, node);
  }
}

function create(context: ControllerContext, { set, revision }: Plan, node: Node): Pod {
  const draft = podFrom(set.spec.template, set, generatedName(`${set.metadata.name}-`));
  draft.metadata.labels = {
    ...draft.metadata.labels,
    [REVISION_LABEL]: revision.hash,
    [GENERATION_LABEL]: String(set.metadata.generation ?? 1),
  };
  draft.spec = tiedTo(node.metadata.name, draft.spec);
  const events = context.events.as(COMPONENT);
  try {
    const pod = createAsClient(context, 'pods', draft);
    events.normal(set, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    return pod;
  } catch (error) {
    passOnAwaiting(error);
    events.warning(set, 'FailedCreate', `Error creating: ${(error as Error).message}`);
    throw error;
  }
}

function dismiss(context: ControllerContext, set: DaemonSet, { metadata }: Pod): void {
  const { namespace, name, uid } = metadata;
  context.deletion.delete('pods', namespace, name, { uid });
  context.events.as(COMPONENT).normal(set, 'SuccessfulDelete', `Deleted pod: ${name}`);
}

/**
 * Old pods make way for new ones. There is one node, so there is nothing to spread: without a surge the old pod goes
 * first; with one the new pod comes first and the old one goes when that is available.
 */
function roll(context: ControllerContext, plan: Plan): void {
  const { set, revision } = plan;
  const minReady = set.spec.minReadySeconds ?? 0;
  const isUp = (pod: Pod) => isAvailable(pod, minReady, context.clock.now());
  const surge = portionOf(set.spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0, 1, Math.ceil) ?? 0;
  for (const { node, pods } of plan.posts.filter(({ placement }) => placement.runs)) {
    const living = pods.filter(isLiving);
    const old = living.filter((pod) => hashOf(pod) !== revision.hash);
    const fresh = living.filter((pod) => hashOf(pod) === revision.hash);
    if (surge === 0 || fresh.some(isUp) || !old.some(isUp)) {
      for (const pod of old) dismiss(context, set, pod);
    } else if (fresh.length === 0) create(context, plan, node);
  }
}

function writeStatus(context: ControllerContext, { set, revision, posts, pods }: Plan): Again {
  const nowMs = context.clock.now();
  const minReady = set.spec.minReadySeconds ?? 0;
  const manned = posts.filter(({ placement }) => placement.runs);
  const count = (isSuch: (pod: Pod) => boolean) =>
    manned.filter((post) => post.pods.some((pod) => isLiving(pod) && isSuch(pod))).length;
  const available = count((pod) => isAvailable(pod, minReady, nowMs));
  const status: DaemonSetStatus = {
    observedGeneration: set.metadata.generation ?? 1,
    currentNumberScheduled: count(() => true),
    desiredNumberScheduled: manned.length,
    numberMisscheduled: posts.filter((post) => !post.placement.runs && post.pods.some(isLiving)).length,
    numberReady: count(isReady),
    updatedNumberScheduled: count((pod) => hashOf(pod) === revision.hash),
    ...(available > 0 ? { numberAvailable: available } : {}),
    ...(available < manned.length ? { numberUnavailable: manned.length - available } : {}),
  };
  context.objects.modify('daemonsets.apps', set.metadata.namespace, set.metadata.name, (stored) => {
    stored.status = status;
  });
  const waits = pods.map((pod) => availableInMs(pod, minReady, nowMs) ?? 0).filter((ms) => ms > 0);
  return waits.length > 0 ? { afterMs: Math.min(...waits) } : undefined;
}
