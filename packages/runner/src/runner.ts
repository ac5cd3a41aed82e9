import { rmSync } from 'node:fs';
import path from 'node:path';
import { openDatabase } from '@updraft/kit';
import { EnvironmentStore } from './environments/store.ts';
import { expireArtifacts } from './job/expiry.ts';
import type { RunRequest, RunnerConfig } from './ports.ts';
import { cancelOutdated } from './runs/auto-cancel.ts';
import type { RunRecord } from './runs/record.ts';
import { PipelineRun } from './runs/run.ts';
import type { RunContext, RunOrigin } from './runs/run.ts';
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
  /** Runs that an earlier daemon left unfinished, now failed. */
  readonly interrupted: readonly RunRecord[];
  /** Removes artifacts whose time is over and the files of runs long past. @param keep so many of the newest runs */
  sweep(keep?: number): Promise<{ readonly runs: number; readonly archives: number; readonly bytes: number }>;
  close(): void;
}

export async function createRunner(config: RunnerConfig): Promise<Runner> {
  // What a dead daemon's jobs left: their mounts went with it.
  rmSync(path.join(config.dir, 'jobs'), { recursive: true, force: true });
  const database = openDatabase(path.join(config.dir, 'runner.db'));
  const environments = new EnvironmentStore(database);
  const runs = new RunStore(database, path.join(config.dir, 'runs'), config.clock);
  const active = new Map<number, PipelineRun>();
  const begin = (request: RunRequest, origin: RunOrigin = {}): PipelineRun => {
    const run = new PipelineRun(context, request, origin);
    active.set(run.id, run);
    void run.finished.then(() => {
      // It may have been opened again meanwhile.
      if (active.get(run.id) === run) active.delete(run.id);
    });
    return run;
  };
  const context: RunContext = {
    config,
    runs,
    environments,
    dispatcher: new Dispatcher(config.slots),
    launch: (request, run, job) => begin(request, { parent: { run, job } }),
  };
  const open = (id: number): PipelineRun | undefined => {
    const going = active.get(id);
    if (going && !going.isOver) return going;
    const record = runs.get(id);
    const kept = runs.reopen(id);
    if (!record || !kept) return undefined;
    const parent = waitingParent(record);
    const run = begin(kept.request, {
      ...(parent ? { parent } : {}),
      reopened: { record, memories: kept.memories },
    });
    parent?.run.follow(parent.job, run);
    return run;
  };
  /** The parent whose job waited for this run, and does so again. */
  const waitingParent = ({ parent }: RunRecord): RunOrigin['parent'] => {
    const job =
      parent && runs.reopen(parent.run)?.request.pipeline.jobs.find(({ name }) => name === parent.job);
    if (!parent || job?.trigger?.strategy === undefined) return undefined;
    const run = open(parent.run);
    return run && { run, job: parent.job };
  };
  return {
    environments,
    runs,
    interrupted: await runs.failInterrupted(),
    create: (request) => {
      const run = begin(request);
      if (request.autoCancel) cancelOutdated(run, [...active.values()]);
      return run;
    },
    open,
    active: () => [...active.values()],
    sweep: async (keep) => {
      const forgotten = await runs.forget(keep, new Set(active.keys()));
      const { removed, bytes } = await expireArtifacts(runs.dir, config.clock.now());
      return { runs: forgotten.length, archives: removed, bytes };
    },
    close: () => {
      runs.flush();
      database.close();
    },
  };
}
