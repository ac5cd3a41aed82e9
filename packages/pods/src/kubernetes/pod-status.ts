/** What is read of a pod, as the API server shows it. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly image?: string;
  readonly state?: {
    readonly running?: object;
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
  };
}

/** How far a pod has come. `waits` may still come to something. */
export type Progress =
  | { readonly kind: 'runs'; readonly address: string | undefined }
  | { readonly kind: 'waits'; readonly why: string | undefined; readonly unschedulable: boolean }
  | { readonly kind: 'failed'; readonly why: string; readonly next?: string };

/** What the kubelet repeats for ever; a job is better told at once. */
const HOPELESS: Readonly<Record<string, string>> = {
  ImagePullBackOff:
    'Is its name right, can the nodes reach its registry, and may they pull it (CI_REGISTRY_USER, DOCKER_AUTH_CONFIG)?',
  ErrImageNeverPull: 'The node does not have it: allow another pull_policy.',
  InvalidImageName: 'Write it as registry/name:tag.',
  CreateContainerConfigError: 'The cluster’s administrator can say why: kubectl describe pod.',
};

export const statusOf = (pod: PodObject, container: string): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === container);

/** @param containers all that the pod has. One that has ended has run. */
export function progressOf(pod: PodObject, containers: readonly string[]): Progress {
  const gone = goneBecause(pod);
  if (gone !== undefined) return { kind: 'failed', why: gone };
  const states = containers.map((name) => containerProgress(name, statusOf(pod, name)));
  const failed = states.find(({ kind }) => kind === 'failed');
  if (failed) return failed;
  const condition = pod.status?.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  if (condition) {
    const { reason = 'Unschedulable', message = 'no node takes it' } = condition;
    return { kind: 'waits', why: `${reason}: ${message}`, unschedulable: true };
  }
  return states.find(({ kind }) => kind === 'waits') ?? { kind: 'runs', address: pod.status?.podIP };
}

function containerProgress(name: string, status: ContainerStatus | undefined): Progress {
  const { waiting, running, terminated } = status?.state ?? {};
  if (running ?? terminated) return { kind: 'runs', address: undefined };
  const { reason = '', message } = waiting ?? {};
  const next = HOPELESS[reason];
  if (next !== undefined) return { kind: 'failed', why: `${reason}: ${message ?? name}`, next };
  const why = reason === '' ? `${name} is not there yet` : `${name}: ${message ?? reason}`;
  return { kind: 'waits', why, unschedulable: false };
}

/** Why a pod is no more what it was, in the cluster's words: evicted, its node lost, past its deadline, deleted. */
export function goneBecause({ metadata, status }: PodObject): string | undefined {
  if (status?.reason !== undefined && status.phase === 'Failed') {
    return `${status.reason}: ${status.message ?? 'the cluster ended the pod'}`;
  }
  const disrupted = status?.conditions?.find(
    ({ type, status: is }) => type === 'DisruptionTarget' && is === 'True',
  );
  if (disrupted)
    return `${disrupted.reason ?? 'evicted'}: ${disrupted.message ?? 'the cluster ended the pod'}`;
  return metadata.deletionTimestamp === undefined ? undefined : 'somebody has deleted the pod';
}
