import path from 'node:path';
import { openDatabase } from '@updraft/kit';
import { EnvironmentStore } from './environments/store.ts';
import { clearJobFolders } from './job/clear-jobs.ts';
import { expireArtifacts } from './job/expiry.ts';
import type { RunRequest, RunnerConfig } from './ports.ts';
import { ActiveRuns } from './runs/active-runs.ts';
import { cancelOutdated } from './runs/auto-cancel.ts';
import { openRunShell } from './runs/open-run-shell.ts';
import { endOrphans, startWatchdog } from './runs/orphans.ts';
import type { RunRecord } from './runs/record.ts';
import type { PipelineRun } from './runs/run.ts';
import type { ShellSession, ShellStreams } from './runs/shell.ts';
import { RunStore } from './runs/store.ts';
import { Dispatcher } from './scheduler/dispatcher.ts';

/** Runs pipelines, any number at once; remembers runs and environments. */
export interface Runner {
  readonly environments: EnvironmentStore;
  readonly runs: RunStore;
  /** Makes a run; it does nothing before its `start`. */
  create(request: RunRequest): PipelineRun;
  /**
   * The run that goes on, or one that is over opened again, with the runs it is a child of: tell it what to do at once.
   * undefined: nothing is kept of it any more.
   */
  open(id: number): PipelineRun | undefined;
  active(): readonly PipelineRun[];
  /** A shell in a job of a run. @throws Fault, see openRunShell */
  shell(
    asked: { readonly run: number; readonly job: string },
    streams: ShellStreams,
    signal: AbortSignal,
  ): Promise<ShellSession>;
  /** Runs that an earlier daemon left unfinished, now failed. */
  readonly interrupted: readonly RunRecord[];
  /** Removes artifacts whose time is over and the files of runs long past. @param keep so many of the newest runs */
  sweep(keep?: number): Promise<{ readonly runs: number; readonly archives: number; readonly bytes: number }>;
  close(): void;
}

export async function createRunner(config: RunnerConfig): Promise<Runner> {
  sweepJobs(config);
  const watchdog = await startWatchdog(jobsDir(config));
  const database = openDatabase(path.join(config.dir, 'runner.db'));
  const environments = new EnvironmentStore(database);
  const runs = new RunStore(database, path.join(config.dir, 'runs'), config.clock);
  const active = new ActiveRuns({ config, runs, environments, dispatcher: new Dispatcher(config.slots) });
  return {
    environments,
    runs,
    interrupted: await runs.failInterrupted(),
    create: (request) => {
      const run = active.begin(request);
      if (request.autoCancel) cancelOutdated(run, active.all);
      return run;
    },
    open: (id) => active.open(id),
    active: () => active.all,
    shell: (asked, streams, signal) => openRunShell({ config, runs }, asked, streams, signal),
    sweep: async (keep) => {
      const forgotten = await runs.forget(keep, new Set(active.all.map((run) => run.id)));
      const { removed, bytes } = await expireArtifacts(runs.dir, config.clock.now());
      return { runs: forgotten.length, archives: removed, bytes };
    },
    close: () => {
      watchdog.end();
      runs.flush();
      database.close();
    },
  };
}

const jobsDir = ({ dir }: RunnerConfig): string => path.join(dir, 'jobs');

/** What a dead daemon's jobs left: processes on the host, mounts and folders. */
function sweepJobs(config: RunnerConfig): void {
  const { logger } = config;
  const jobs = jobsDir(config);
  const ended = endOrphans(jobs);
  if (ended > 0) logger.log('info', 'ended processes of a dead daemon’s jobs', { ended });
  clearJobFolders(jobs);
}
