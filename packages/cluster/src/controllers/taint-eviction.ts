import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../kinds/core.ts';
import { objectOf } from '../kinds/objects.ts';
import type { Pod, Toleration } from '../kinds/pod.ts';
import { tolerates } from '../scheduler/taints.ts';
import type { Taint } from '../scheduler/taints.ts';
import type { WatchEvent } from '../store/types.ts';
import { withCondition } from './conditions.ts';
import { keyOf, splitKey } from './controller.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { isFinished, isTerminating } from './pods.ts';
import type { Again } from './work-queue.ts';

/** Takes pods off nodes whose `NoExecute` taints they do not bear, or bear for some time only. */
export function taintEvictionController(context: ControllerContext): Controller {
  /** Since when a pod has borne what its node has, by key; both are told anew when either changes. */
  const borne = new Map<
    string,
    { readonly uid: string; readonly taints: readonly Taint[]; sinceMs: number }
  >();
  return {
    name: 'taint-eviction',
    resources: ['nodes', 'pods'],
    keys: (event) => (event.resource === 'pods' ? podKeys(event, borne) : nodeKeys(context, event)),
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      const pod = context.objects.get('pods', namespace, name);
      const taints = pod && !isTerminating(pod) && !isFinished(pod) ? evicting(nodeOf(context, pod)) : [];
      if (!pod || taints.length === 0) {
        if (borne.delete(key) && pod && !isTerminating(pod))
          events(context).normal(pod, 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
        return undefined;
      }
      const known = borne.get(key);
      const isSame = known?.uid === pod.metadata.uid && isDeepStrictEqual(known.taints, taints);
      const sinceMs = isSame ? known.sinceMs : context.clock.now();
      borne.set(key, { uid: pod.metadata.uid, taints, sinceMs });
      return judge(context, pod, sinceMs + bearableMs(pod, taints) - context.clock.now());
    },
  };
}

const events = (context: ControllerContext) => context.events.as('taint-eviction-controller');

function podKeys({ object, type }: WatchEvent, borne: ReadonlyMap<string, unknown>): string[] {
  const key = keyOf(object);
  const isBound = (object as unknown as Pod).spec.nodeName !== undefined;
  return borne.has(key) || (isBound && type !== 'DELETED') ? [key] : [];
}

function nodeKeys({ objects }: ControllerContext, event: WatchEvent): string[] {
  const node = objectOf(event, 'nodes');
  const before = evicting(event.previous as unknown as Node | undefined);
  if (!node || isDeepStrictEqual(before, evicting(node))) return [];
  const { name } = node.metadata;
  return objects
    .list('pods')
    .filter(({ spec }) => spec.nodeName === name)
    .map(keyOf);
}

function nodeOf({ objects }: ControllerContext, { spec }: Pod): Node | undefined {
  return spec.nodeName === undefined ? undefined : objects.get('nodes', undefined, spec.nodeName);
}

const evicting = (node: Node | undefined): readonly Taint[] =>
  (node?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/** The shortest time of those tolerations that are needed; one that says no time is for ever. */
function bearableMs({ spec: { tolerations = [] } }: Pod, taints: readonly Taint[]): number {
  if (taints.some((taint) => !tolerates(tolerations, taint))) return 0;
  const used = tolerations.filter((one: Toleration) => taints.some((taint) => tolerates([one], taint)));
  const times = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  return Math.max(0, Math.min(Number.POSITIVE_INFINITY, ...times.map((seconds) => seconds * 1000)));
}

function judge(context: ControllerContext, pod: Pod, leftMs: number): Again {
  if (leftMs === Number.POSITIVE_INFINITY) return undefined;
  if (leftMs > 0) return { afterMs: leftMs };
  const { namespace, name, uid } = pod.metadata;
  events(context).normal(pod, 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`);
  context.objects.modify('pods', namespace, name, (stored) => {
    const change = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    } as const;
    const conditions = withCondition(stored.status?.conditions, change, context.clock.now());
    stored.status = { ...stored.status, conditions };
  });
  context.deletion.delete('pods', namespace, name, { uid });
  return undefined;
}
