import path from 'node:path';
import { Fault, Undo, messageOf } from '@updraft/kit';
import { expandVariables } from '@updraft/gitlab-ci';
import { keepArtifacts, restoreArtifacts } from './artifacts.ts';
import type { Ended } from './artifacts.ts';
import { restoreCaches, saveCaches } from './cache/caches.ts';
import type { CachePlace } from './cache/caches.ts';
import { CacheStore } from './cache/store.ts';
import { jobCoverage } from './coverage.ts';
import type { Execution } from './execution.ts';
import { JobLog } from './log.ts';
import type { JobResult, Outcome } from './outcome.ts';
import { prepare, showFiles } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { recordRelease } from './release.ts';
import { keepReports } from './reports/keep-reports.ts';
import type { KeptReports } from './reports/keep-reports.ts';
import { openShell } from './open-shell.ts';
import { broughtBack, filesLeft } from './elsewhere/bring-back.ts';
import type { ShellPlace } from './shell.ts';
import { requireRunnableSteps, runAfterScript, runHook, runMain } from './scripts.ts';
import type { Limits } from './scripts.ts';
import { JOB_TIMEOUT_SECONDS } from './timeouts.ts';

/**
 * Runs one job from checkout to reports. Whatever happens, the outcome is a value and nothing stays behind: no pod,
 * no mount, no folder but `outputDir`.
 */
export async function executeJob(asked: Execution): Promise<JobResult> {
  const undo = new Undo();
  const log = new JobLog([], asked.onLog);
  const { clock, logger } = asked.config;
  const late = new AbortController();
  const seconds = asked.input.job.timeoutSeconds ?? JOB_TIMEOUT_SECONDS;
  undo.add(clock.timer(seconds * 1000, () => late.abort(new Error(`took longer than ${seconds} s`))));
  // What leads up to the script ends by the job's time-out as by a cancel; the script is told which it was.
  const execution = { ...asked, signal: AbortSignal.any([asked.signal, late.signal]) };
  try {
    return await attempt(execution, { log, undo, canceled: asked.signal });
  } catch (error) {
    if (asked.signal.aborted) return withOutcome({ kind: 'canceled' });
    if (late.signal.aborted) return withOutcome({ kind: 'timedOut', afterSeconds: seconds });
    return withOutcome(couldNotRun(log, error));
  } finally {
    log.flush();
    await undo.close().catch((error: unknown) => {
      logger.log('error', 'a job left something behind', {
        job: asked.input.job.name,
        error: messageOf(error),
      });
    });
  }
}

function couldNotRun(log: JobLog, error: unknown): Outcome {
  const message = messageOf(error);
  const next = error instanceof Fault ? error.next : undefined;
  log.line(`ERROR: ${message}`);
  if (next !== undefined) log.line(next);
  const pull = error instanceof Fault && error.code.startsWith('IMAGE_');
  return { kind: 'couldNotRun', why: pull ? 'image_pull_failure' : 'runner_system_failure', message };
}

const withOutcome = (outcome: Outcome): JobResult => ({
  outcome,
  coverage: undefined,
  notes: [],
  dotenv: {},
  environmentUrl: undefined,
  artifacts: undefined,
  reports: [],
  release: undefined,
});

interface Attempt {
  readonly log: JobLog;
  readonly undo: Undo;
  /** The user's cancel alone. */
  readonly canceled: AbortSignal;
}

/** GitLab's order of steps. */
async function attempt(execution: Execution, { log, undo, canceled }: Attempt): Promise<JobResult> {
  const { job } = execution.input;
  const { clock } = execution.config;
  requireRunnableSteps(job);
  const startedAt = clock.elapsed();
  const prepared = await prepare(execution, log, undo);
  const { timeouts, workspace, environment } = prepared;
  const limits = (): Limits => {
    const left = timeouts.jobSeconds - (clock.elapsed() - startedAt) / 1000;
    return { timeoutSeconds: Math.max(0, Math.min(timeouts.scriptSeconds, left)), signal: canceled };
  };
  const shell = await openShell(execution, prepared, undo);
  const hook = await runHook(shell, job, limits());
  if (hook.kind !== 'passed') return { ...withOutcome(hook), notes: prepared.image?.notes ?? [] };
  await showFiles(execution, prepared);
  const caches = cachePlace(execution, prepared);
  const planned = await restoreCaches(caches, job.caches);
  await restoreArtifacts(execution.incoming, workspace, log);
  await shell.pod.files?.put(workspace.dir, shell.projectDir);
  execution.signal.throwIfAborted();
  const main = rounded(await runMain(shell, job, limits), timeouts);
  const release = await releaseOf(execution, { prepared, shell }, main);
  const outcome = await runAfterScript(shell, job, main, timeouts);
  if (
    execution.keepFailed !== undefined &&
    !shell.pod.files &&
    (outcome.kind === 'failed' || outcome.kind === 'timedOut')
  ) {
    workspace.keep(execution.keepFailed);
  }
  const ended: Ended = {
    job,
    workspace: await filesLeft(shell, job, outcome),
    projectDir: prepared.place.projectDir,
    values: environment.values,
    log,
    outcome,
    outputDir: execution.outputDir,
    now: clock.now(),
  };
  await saveCaches(caches, planned, ended);
  return { ...(await collect(ended)), release, notes: prepared.image?.notes ?? [] };
}

/** A script that its time-out ended is told by what was asked, not by what was left of it. */
function rounded(outcome: Outcome, { scriptSeconds }: { scriptSeconds: number }): Outcome {
  return outcome.kind === 'timedOut' ? { ...outcome, afterSeconds: scriptSeconds } : outcome;
}

/** Artifacts, reports, coverage, and the environment's address, which dotenv may name. */
async function collect(ended: Ended): Promise<JobResult> {
  const { job, log, values, outcome } = ended;
  const base = withOutcome(outcome);
  if (outcome.kind === 'couldNotRun') return base;
  const { refused, ...kept } = await keepAll(ended).catch((error: unknown) => notKept(log, error));
  const url = job.environment?.url;
  return {
    ...base,
    ...kept,
    outcome: outcome.kind === 'passed' ? (refused ?? outcome) : outcome,
    coverage: jobCoverage(job.coverage, log.text),
    environmentUrl: url === undefined ? undefined : expandVariables(url, { ...values, ...kept.dotenv }),
  };
}

/** What a job leaves is part of its success; a failure that was there before is the one that is told. */
const notKept = (log: JobLog, error: unknown): KeptReports & Pick<JobResult, 'artifacts'> => ({
  artifacts: undefined,
  reports: [],
  dotenv: {},
  refused: couldNotRun(log, error),
});

async function keepAll(ended: Ended): Promise<KeptReports & Pick<JobResult, 'artifacts'>> {
  const asked = ended.job.artifacts;
  if (!asked || ended.outcome.kind === 'canceled') {
    return { artifacts: undefined, reports: [], dotenv: {}, refused: undefined };
  }
  const artifacts = await keepArtifacts(asked, ended);
  return { artifacts, ...(await keepReports(asked, ended)) };
}

async function releaseOf(
  execution: Execution,
  { prepared, shell }: { readonly prepared: Prepared; readonly shell: ShellPlace },
  outcome: Outcome,
): Promise<JobResult['release']> {
  const { release } = execution.input.job;
  if (!release || outcome.kind !== 'passed') return undefined;
  // The description may name a file.
  const described = release.description.includes('\n') ? [] : [release.description];
  const workspace = shell.pod.files ? await broughtBack(shell, described) : prepared.workspace;
  return recordRelease(release, {
    workspaceDir: workspace.dir,
    values: prepared.environment.values,
    log: prepared.log,
    outputDir: execution.outputDir,
    now: execution.config.clock.now(),
  });
}

export function cachePlace(
  { config, input }: Execution,
  { workspace, environment, log }: Prepared,
): CachePlace {
  return {
    store: new CacheStore(path.join(config.dir, 'caches'), config.cacheLimits),
    project: input.request.projectDir,
    workspace,
    values: environment.values,
    log,
    now: () => config.clock.now(),
  };
}
