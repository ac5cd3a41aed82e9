import { systemClock } from '@updraft/kit';
import type { ControlClient, EnvironmentView, RunEvent, RunView } from '@updraft/control';
import { EXIT } from '../command.ts';
import type { Context } from '../command.ts';
import { jsonResults } from '../render/results.ts';
import { RunRenderer } from '../render/run.ts';
import { summary } from '../render/summary.ts';

/** What a stream of run events came to. */
export interface Watched {
  /** The run at the top, and those it has started, by their numbers; undefined when there was none. */
  readonly run: RunView | undefined;
  readonly runs: ReadonlyMap<number, RunView>;
  /** By `run/job`. */
  readonly logs: ReadonlyMap<string, string>;
}

/**
 * Draws a stream of run events to its end; Ctrl-C cancels the run and waits for it to clean up, a second one forces it.
 * @param joined the run was going on before: Ctrl-C only leaves it
 */
export async function watchRun(
  client: ControlClient,
  context: Context,
  events: AsyncIterable<RunEvent>,
  joined = false,
): Promise<Watched> {
  const renderer = new RunRenderer(context.output, () => systemClock.elapsed(), {
    logs: context.flag('logs'),
  });
  const logs = new Map<string, string>();
  let isCanceled = false;
  const cancel = () => {
    const { run } = renderer;
    // Before the run has a number there is nothing to cancel yet.
    if (!run || isCanceled) return;
    isCanceled = true;
    if (joined) leave(context, run.id);
    else onInterrupt(client, context, run.id);
  };
  context.signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const event of events) {
      if (event.type === 'log') {
        const key = `${event.run}/${event.job}`;
        logs.set(key, (logs.get(key) ?? '') + event.text);
      }
      renderer.event(event);
      if (context.signal.aborted) cancel();
    }
  } finally {
    renderer.close();
    context.signal.removeEventListener('abort', cancel);
  }
  return { run: renderer.run, runs: renderer.runs, logs };
}

function leave({ output }: Context, id: number): never {
  output.say(`Run ${id} goes on; updraft cancel --run ${id} ends it`);
  process.exit(EXIT.failed);
}

function onInterrupt(client: ControlClient, { output }: Context, id: number): void {
  // The run may be over at this very moment: then there is nothing to cancel.
  const send = (force: boolean) =>
    void client
      .call('POST /v1/runs/{id}/cancel', { jobs: [], force }, { path: { id: String(id) } })
      .catch(() => undefined);
  output.say('Canceling, after_script runs; press Ctrl-C again to end everything at once');
  send(false);
  process.once('SIGINT', () => {
    output.say('Ending everything');
    send(true);
    process.once('SIGINT', () => process.exit(EXIT.failed));
  });
}

/** Summary, JSON and exit code of a run that was watched to its end. */
export async function conclude(client: ControlClient, context: Context, watched: Watched): Promise<number> {
  const { run, runs } = watched;
  if (run === undefined) return EXIT.failed;
  const environments = await environmentsOf(client, [...runs.values()]);
  context.output.say(summary(run, { runs, environments }, context.output));
  if (context.flag('json')) {
    const logs = await allLogs(client, watched);
    context.output.result(JSON.stringify(jsonResults({ ...watched, logs }), null, 2));
  }
  return exitCode(run);
}

/** Also of jobs that ran before this command was there. */
async function allLogs(client: ControlClient, { runs, logs }: Watched): Promise<Watched['logs']> {
  const all = new Map(logs);
  for (const run of runs.values()) {
    for (const job of run.jobs.filter((each) => each.attempt > 0 && !logs.has(`${run.id}/${each.name}`))) {
      const path = { id: String(run.id), job: job.name };
      // A job that has printed nothing has no log.
      const log = await client
        .call('GET /v1/runs/{id}/jobs/{job}/log', undefined, { path })
        .catch(() => undefined);
      all.set(`${run.id}/${job.name}`, log?.text ?? '');
    }
  }
  return all;
}

/** A pipeline that waits for somebody to start a job is no failure, unless a job has failed. */
export function exitCode({ status, jobs }: RunView): number {
  if (status === 'failed' || status === 'canceled') return EXIT.failed;
  return jobs.some((job) => job.status === 'failed' && !job.allowFailure) ? EXIT.failed : EXIT.passed;
}

const environmentsOf = async (
  client: ControlClient,
  runs: readonly RunView[],
): Promise<readonly EnvironmentView[]> =>
  touchedBy(runs, await client.call('GET /v1/environments', undefined));

/** Environments that these runs have deployed to or ended. Another project's of the same name is not meant. */
export function touchedBy(
  runs: readonly Pick<RunView, 'projectDir' | 'jobs'>[],
  environments: readonly EnvironmentView[],
): readonly EnvironmentView[] {
  return environments.filter(({ name, project_dir }) =>
    runs.some(
      ({ projectDir, jobs }) =>
        projectDir === project_dir &&
        jobs.some((job) => job.status === 'success' && job.environment === name),
    ),
  );
}
