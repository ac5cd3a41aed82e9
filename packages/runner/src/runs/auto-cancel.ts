import type { PipelineRun } from './run.ts';

/**
 * What GitLab does when a ref moves on: earlier runs of the same ref, for another commit, end as their own
 * `workflow:auto_cancel:on_new_commit` says. A run of the same commit ends nobody.
 */
export function cancelOutdated(newer: PipelineRun, active: readonly PipelineRun[]): void {
  const { projectDir, ref, sha } = newer.record;
  for (const run of active) {
    const { record } = run;
    const isOutdated = record.projectDir === projectDir && record.ref === ref && record.sha !== sha;
    if (isOutdated && run.id < newer.id && run.parent === undefined) cancelOne(run);
  }
}

function cancelOne(run: PipelineRun): void {
  const mode = run.request.pipeline.autoCancel?.onNewCommit ?? 'conservative';
  if (mode === 'none') return;
  const { jobs } = run.request.pipeline;
  const fixed = new Set(jobs.filter((job) => !job.interruptible).map((job) => job.name));
  const { jobs: states } = run.record;
  if (mode === 'conservative') {
    // Only while nothing has started that must not be interrupted.
    const isTooLate = states.some((job) => fixed.has(job.name) && job.attempt > 0);
    if (!isTooLate) run.cancel();
    return;
  }
  const open = ['created', 'pending', 'scheduled', 'waiting_for_resource', 'running'];
  const names = states
    .filter((job) => !fixed.has(job.name) && open.includes(job.status))
    .map((job) => job.name);
  if (names.length > 0) run.cancel(names);
}
