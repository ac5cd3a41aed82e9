import type { Node } from '../../kinds/core.ts';
import type { Pod, PodSpec, PodTemplate, Toleration } from '../../kinds/pod.ts';
import { matchesNode } from '../../scheduler/affinity.ts';
import { untolerated } from '../../scheduler/taints.ts';

const EXISTS = 'Exists';
const CONDITIONS: readonly (readonly [key: string, effect: string])[] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
];
const NETWORK = ['node.kubernetes.io/network-unavailable', 'NoSchedule'] as const;

/** What a daemon puts up with so that it runs wherever anything runs. */
export function daemonTolerations(spec: PodSpec): Toleration[] {
  const own = spec.tolerations ?? [];
  const more = (spec.hostNetwork ? [...CONDITIONS, NETWORK] : CONDITIONS).filter(
    ([key, effect]) => !own.some((one) => one.key === key && one.effect === effect),
  );
  return [...own, ...more.map(([key, effect]) => ({ key, operator: EXISTS, effect }))];
}

export interface Placement {
  /** A new pod belongs here. */
  readonly runs: boolean;
  /** One that is here may stay. */
  readonly stays: boolean;
}

export function placementOn(template: PodTemplate, node: Node): Placement {
  const { spec } = template;
  const pod = { spec } as Pod;
  if ((spec.nodeName ?? node.metadata.name) !== node.metadata.name || !matchesNode(pod, node)) {
    return { runs: false, stays: false };
  }
  const tolerations = daemonTolerations(spec);
  const taint = untolerated(tolerations, node.spec.taints);
  const evicting = (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
  return { runs: taint === undefined, stays: untolerated(tolerations, evicting) === undefined };
}

/** Ties the pod to its node by name, and leaves the binding to the scheduler. */
export function tiedTo(nodeName: string, spec: PodSpec): PodSpec {
  const required = {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }],
  };
  return {
    ...spec,
    tolerations: daemonTolerations(spec),
    affinity: {
      ...spec.affinity,
      nodeAffinity: {
        ...spec.affinity?.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: required,
      },
    },
  };
}

/** The node that a daemon's pod is on or meant for. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName !== undefined) return spec.nodeName;
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.flatMap(({ matchFields = [] }) => matchFields).flatMap(({ values = [] }) => values)[0];
}
