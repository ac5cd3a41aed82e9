import type { ExitCodeRequirement, Job, PodFailureRule } from '../../kinds/batch.ts';
import type { Pod } from '../../kinds/pod.ts';

/** What is to be made of a failed pod, and why in words for the user. */
export interface FailureVerdict {
  readonly action: PodFailureRule['action'];
  readonly message: string;
}

const COUNT: FailureVerdict = { action: 'Count', message: '' };

/** The first rule that the pod matches decides; without one its failure counts. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = matches(rule, pod);
    if (why !== undefined) {
      return { action: rule.action, message: `${why} matching ${rule.action} rule at index ${index}` };
    }
  }
  return COUNT;
}

const nameOf = ({ metadata }: Pod) => `${metadata.namespace ?? ''}/${metadata.name}`;

function matches({ onExitCodes, onPodConditions }: PodFailureRule, pod: Pod): string | undefined {
  if (onExitCodes) return matchesExitCode(onExitCodes, pod);
  const condition = pod.status?.conditions?.find((present) =>
    onPodConditions?.some(({ type, status = 'True' }) => type === present.type && status === present.status),
  );
  return condition && `Pod ${nameOf(pod)} has condition ${condition.type}`;
}

function matchesExitCode(wanted: ExitCodeRequirement, pod: Pod): string | undefined {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const found = statuses.find(({ name, state }) => {
    const code = state.terminated?.exitCode ?? 0;
    if (code === 0 || (wanted.containerName ?? name) !== name) return false;
    return wanted.values.includes(code) === (wanted.operator === 'In');
  });
  const code = found?.state.terminated?.exitCode;
  return found && `Container ${found.name} for pod ${nameOf(pod)} failed with exit code ${code}`;
}
