import { rmSync } from 'node:fs';
import path from 'node:path';
import { openDatabase } from '@updraft/kit';
import { EnvironmentStore } from './environments/store.ts';
import type { RunRequest, RunnerConfig } from './ports.ts';
import type { RunRecord } from './runs/record.ts';
import { PipelineRun } from './runs/run.ts';
import { RunStore } from './runs/store.ts';

/** Runs pipelines, any number at once; remembers runs and environments. */
export interface Runner {
  readonly environments: EnvironmentStore;
  readonly runs: RunStore;
  /** Makes a run; it does nothing before its `start`. */
  create(request: RunRequest): PipelineRun;
  active(): readonly PipelineRun[];
  /** Runs that an earlier daemon left unfinished, now failed. */
  readonly interrupted: readonly RunRecord[];
  close(): void;
}

export function createRunner(config: RunnerConfig): Runner {
  // What a dead daemon's jobs left: their mounts went with it.
  rmSync(path.join(config.dir, 'jobs'), { recursive: true, force: true });
  const database = openDatabase(path.join(config.dir, 'runner.db'));
  const environments = new EnvironmentStore(database);
  const runs = new RunStore(database, path.join(config.dir, 'runs'));
  const active = new Set<PipelineRun>();
  return {
    environments,
    runs,
    interrupted: runs.failInterrupted(),
    create: (request) => {
      const run = new PipelineRun({ config, runs, environments }, request);
      active.add(run);
      void run.finished.then(() => active.delete(run));
      return run;
    },
    active: () => [...active],
    close: () => database.close(),
  };
}
