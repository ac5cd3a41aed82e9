import { systemClock } from '@updraft/kit';
import type { ControlClient, EnvironmentView, RunEvent, RunView } from '@updraft/control';
import { EXIT, UsageError, keyValues } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { clean, RunRenderer, summary } from '../render/run.ts';

const EXECUTORS = ['runc', 'host', 'docker', 'kubernetes'] as const;

export const run: Command = {
  name: 'run',
  summary: 'Run the pipeline of a commit, or single jobs and what they need',
  usage: 'run [JOB...] [--ref BRANCH | --tag TAG] [options]',
  options: [
    {
      name: 'ref',
      value: 'BRANCH',
      help: 'run as GitLab would for this branch (default: the one checked out)',
    },
    { name: 'tag', value: 'TAG', help: 'run as GitLab would for this tag' },
    { name: 'source', value: 'SOURCE', help: 'CI_PIPELINE_SOURCE (default: push)' },
    { name: 'variable', value: 'K=V', repeated: true, help: 'set a pipeline variable' },
    { name: 'executor', value: 'KIND', help: `where jobs run: ${EXECUTORS.join(', ')} (default: runc)` },
    { name: 'logs', help: 'print every job’s log as it grows' },
    { name: 'json', help: 'print the jobs as JSON when it is over' },
  ],
  details: `
The committed files are run, as GitLab would: what is not committed is not part of the run.
A job named on the command line is started even when it is manual.`,
  run: runPipeline,
};

async function runPipeline(context: Context): Promise<number> {
  const ref = context.text('ref');
  const tag = context.text('tag');
  if (ref !== undefined && tag !== undefined) {
    throw new UsageError('--ref and --tag exclude each other', 'A pipeline is for a branch or for a tag.');
  }
  const executor = executorOf(context.text('executor'));
  const client = await connect(context.env, context.output);
  const source = context.text('source');
  const request = {
    projectDir: context.cwd,
    variables: keyValues(context.texts('variable'), 'variable'),
    jobs: context.words,
    attached: true,
    ...(ref === undefined ? {} : { ref }),
    ...(tag === undefined ? {} : { tag }),
    ...(source === undefined ? {} : { source }),
    ...(executor === undefined ? {} : { executor }),
  };
  const { run: finished, logs } = await watchRun(client, context, client.stream('POST /v1/runs', request));
  if (finished === undefined) return EXIT.failed;
  const environments = await environmentsOf(client, finished);
  context.output.say(summary(finished, environments, context.output));
  if (context.flag('json')) context.output.result(JSON.stringify(jsonJobs(finished, logs), null, 2));
  return finished.status === 'success' ? EXIT.passed : EXIT.failed;
}

function executorOf(text: string | undefined): (typeof EXECUTORS)[number] | undefined {
  if (text === undefined) return undefined;
  const executor = EXECUTORS.find((candidate) => candidate === text);
  if (executor) return executor;
  throw new UsageError(`--executor ${text}: unknown`, `Choose one of ${EXECUTORS.join(', ')}.`);
}

/** Draws a stream of run events to its end; Ctrl-C cancels the run and waits for it to clean up. */
export async function watchRun(
  client: ControlClient,
  context: Context,
  events: AsyncIterable<RunEvent>,
): Promise<{ run: RunView | undefined; logs: ReadonlyMap<string, string> }> {
  const hasLogs = context.flag('logs');
  const renderer = new RunRenderer(context.output, () => systemClock.elapsed(), { logs: hasLogs });
  const logs = new Map<string, string>();
  const cancel = () => {
    const id = renderer.run?.id;
    context.output.say('Canceling; press Ctrl-C again to leave at once');
    process.once('SIGINT', () => process.exit(EXIT.failed));
    if (id !== undefined)
      void client.call('POST /v1/runs/{id}/cancel', undefined, { path: { id: String(id) } });
  };
  context.signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const event of events) {
      if (event.type === 'log') logs.set(event.job, (logs.get(event.job) ?? '') + event.text);
      renderer.event(event);
    }
  } finally {
    renderer.close();
    context.signal.removeEventListener('abort', cancel);
  }
  return { run: renderer.run, logs };
}

/** Environments that this run has deployed to or ended. */
async function environmentsOf(client: ControlClient, run: RunView): Promise<readonly EnvironmentView[]> {
  const touched = new Set(run.jobs.filter((job) => job.status === 'success').map((job) => job.environment));
  const all = await client.call('GET /v1/environments', undefined);
  return all.filter((environment) => touched.has(environment.name));
}

const jsonJobs = (run: RunView, logs: ReadonlyMap<string, string>) =>
  run.jobs.map((job) => ({
    name: job.name,
    stage: job.stage,
    status: job.status,
    exit_code: job.exitCode ?? null,
    duration_ms: job.durationMs === undefined ? null : Math.round(job.durationMs),
    allow_failure: job.allowFailure,
    reason: job.reason ?? null,
    coverage: job.coverage ?? null,
    notes: job.notes,
    output: clean(logs.get(job.name) ?? ''),
  }));
