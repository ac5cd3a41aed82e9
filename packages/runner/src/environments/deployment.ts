import { timestamp } from '@updraft/kit';
import type { Job } from '@updraft/gitlab-ci';
import type { JobResult } from '../job/outcome.ts';
import type { RunRequest } from '../ports.ts';
import type { RunContext } from '../runs/run.ts';
import { autoStopTime } from './store.ts';

/** After a job that passed: `start` deploys its environment, `stop` ends it; the other actions change nothing. */
export function recordDeployment(
  context: RunContext,
  request: RunRequest,
  ended: { readonly job: Job; readonly result: JobResult; readonly runId: number },
): void {
  const { environment } = ended.job;
  if (environment === undefined) return;
  if (environment.action === 'stop') {
    context.environments.setState(request.projectDir, environment.name, 'stopped');
    return;
  }
  if (environment.action !== 'start') return;
  const now = context.config.clock.now();
  context.environments.put({
    name: environment.name,
    slug: environment.slug,
    url: ended.result.environmentUrl,
    state: 'available',
    tier: environment.tier,
    ref: request.facts.tag ?? request.facts.branch ?? request.facts.sha,
    tag: request.facts.tag !== undefined,
    sha: request.facts.sha,
    projectDir: request.projectDir,
    onStop: environment.onStop,
    deployedAt: timestamp(now),
    autoStopAt: autoStopTime(now, environment.autoStopInSeconds),
    runId: ended.runId,
    ...(request.cluster ? { cluster: request.cluster } : {}),
    ...(request.executor === 'kubernetes' ? { executor: request.executor } : {}),
    ...(request.pipelineVariables?.length ? { variables: request.pipelineVariables } : {}),
  });
}
