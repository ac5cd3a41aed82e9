import { expandAsRunner } from '@updraft/gitlab-ci';
import type { Job } from '@updraft/gitlab-ci';
import { Fault } from '@updraft/kit';
import { statusWord } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { runShell } from './shell.ts';
import type { Shell, ShellPlace } from './shell.ts';
import type { Timeouts } from './timeouts.ts';

/** @throws Fault STEP_UNSUPPORTED before anything runs: steps from elsewhere need GitLab's step runner */
export function requireRunnableSteps(job: Job): void {
  const foreign = job.steps?.find((step) => step.script === undefined);
  if (!foreign) return;
  const where = foreign.source ?? 'elsewhere';
  throw new Fault('STEP_UNSUPPORTED', `the step ${foreign.name} of the job ${job.name} comes from ${where}`, {
    next: 'Only steps with a script can be run here; GitLab fetches the others.',
  });
}

/** `hooks:pre_get_sources_script`: in the project folder while it is still empty. */
export async function runHook(place: ShellPlace, job: Job, limits: Limits): Promise<Outcome> {
  if (!job.preGetSources?.length) return { kind: 'passed' };
  place.log.line('Running hooks:pre_get_sources_script');
  return runShell(place, { name: 'pre-get-sources', commands: job.preGetSources, ...limits });
}

export type Limits = Pick<Shell, 'timeoutSeconds' | 'signal'>;

/** before_script and script in one shell; or the steps of `run`, each in its own, up to the first that fails. */
export async function runMain(place: ShellPlace, job: Job, limits: () => Limits): Promise<Outcome> {
  if (!job.steps) {
    return runShell(place, { name: 'script', commands: [...job.beforeScript, ...job.script], ...limits() });
  }
  const before = job.beforeScript;
  if (before.length > 0) {
    const outcome = await runShell(place, { name: 'before-script', commands: before, ...limits() });
    if (outcome.kind !== 'passed') return outcome;
  }
  for (const [index, step] of job.steps.entries()) {
    place.log.line(`Running the step ${step.name}`);
    const env = Object.entries(step.env).map(([key, value]) => [key, expandAsRunner(value, place.env)]);
    const shell = { name: `step-${index}`, commands: [step.script ?? ''], env: Object.fromEntries(env) };
    const outcome = await runShell(place, { ...shell, ...limits() });
    if (outcome.kind !== 'passed') return outcome;
  }
  return { kind: 'passed' };
}

/**
 * after_script, in a shell of its own, whatever the outcome was, also after a cancel. Its failure counts only when
 * AFTER_SCRIPT_IGNORE_ERRORS is "false" and nothing has failed before. @returns the job's outcome
 */
export async function runAfterScript(
  place: ShellPlace,
  job: Job,
  before: Outcome,
  timeouts: Timeouts,
): Promise<Outcome> {
  if (job.afterScript.length === 0 || before.kind === 'couldNotRun') return before;
  place.log.line('Running after_script');
  const after = await runShell(place, {
    name: 'after-script',
    commands: job.afterScript,
    env: { CI_JOB_STATUS: statusWord(before) },
    timeoutSeconds: timeouts.afterScriptSeconds,
    signal: undefined,
  });
  if (after.kind === 'passed') return before;
  const why = after.kind === 'timedOut' ? `took longer than ${after.afterSeconds} s` : 'failed';
  if (place.env['AFTER_SCRIPT_IGNORE_ERRORS'] === 'false' && before.kind === 'passed') return after;
  place.log.warning(`after_script ${why}; it does not change the job’s state`);
  return before;
}
