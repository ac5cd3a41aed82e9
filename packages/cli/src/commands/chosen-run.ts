import type { ControlClient, RunView } from '@updraft/control';
import { findRepository } from '@updraft/git';
import { nearest } from '@updraft/kit';
import { UsageError } from '../command.ts';
import type { Context } from '../command.ts';

export const RUN_OPTION = {
  name: 'run',
  value: 'ID',
  help: 'of this run (default: the newest of this project)',
} as const;

/** Runs of the project that the command was called in, newest first; of all projects elsewhere. */
export async function runsHere(client: ControlClient, context: Context): Promise<readonly RunView[]> {
  const [runs, dir] = await Promise.all([
    client.call('GET /v1/runs', undefined),
    findRepository(context.cwd).catch(() => undefined),
  ]);
  return dir === undefined ? runs : runs.filter((run) => run.projectDir === dir);
}

/** The run that `--run` names, else the newest; child pipelines count when one of them has the jobs that are named. */
export async function chosenRun(
  client: ControlClient,
  context: Context,
  jobs: readonly string[],
): Promise<RunView> {
  const id = context.text('run');
  const runs = id === undefined ? await runsHere(client, context) : [await runOf(client, id)];
  const has = (run: RunView): boolean => {
    const names = new Set(run.jobs.map((job) => job.name));
    return jobs.length === 0 ? id !== undefined || !run.parent : jobs.every((job) => names.has(job));
  };
  const run = runs.find(has);
  if (run) return run;
  const known = [...new Set(runs.flatMap((each) => each.jobs.map((job) => job.name)))];
  const unknown = jobs.find((job) => !known.includes(job)) ?? jobs.join(' and ');
  if (jobs.length === 0) throw new UsageError('this project has had no run yet', 'updraft run starts one.');
  const near = nearest(unknown, known);
  throw new UsageError(
    id === undefined ? `no run of this project has had a job ${unknown}` : `run ${id} has no job ${unknown}`,
    near === undefined ? 'See: updraft runs' : `Did you mean ${near}?`,
  );
}

function runOf(client: ControlClient, id: string): Promise<RunView> {
  if (!/^\d+$/.test(id)) throw new UsageError(`--run ${id}: not a number`, 'See: updraft runs');
  return client.call('GET /v1/runs/{id}', undefined, { path: { id } });
}
