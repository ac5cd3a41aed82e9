import path from 'node:path';
import type { ControlClient, RunView } from '@updraft/control';
import { EXIT, UsageError } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { nearest } from '@updraft/kit';
import { clean } from '../render/run.ts';
import { duration, table } from '../render/table.ts';

const RUN_OPTION = { name: 'run', value: 'ID', help: 'of this run (default: the newest)' } as const;

export const logs: Command = {
  name: 'logs',
  summary: 'Print the log of a job, or list the runs',
  usage: 'logs [JOB] [--run ID]',
  options: [RUN_OPTION, { name: 'raw', help: 'with the control sequences the job printed' }],
  async run(context) {
    const client = await connect(context.env, context.output);
    const [job] = context.words;
    if (job === undefined) return listRuns(client, context);
    const run = await chosenRun(client, context, job);
    const path = { id: String(run.id), job };
    const { text } = await client.call('GET /v1/runs/{id}/jobs/{job}/log', undefined, { path });
    context.output.result((context.flag('raw') ? text : clean(text)).trimEnd());
    return EXIT.passed;
  },
};

export const artifacts: Command = {
  name: 'artifacts',
  summary: 'List a job’s artifacts and reports, or unpack them into a folder',
  usage: 'artifacts JOB [--run ID] [--output DIR]',
  options: [RUN_OPTION, { name: 'output', short: 'o', value: 'DIR', help: 'unpack them there' }],
  async run(context) {
    const [job] = context.words;
    if (job === undefined) throw new UsageError('updraft artifacts needs a job', 'See: updraft logs');
    const client = await connect(context.env, context.output);
    const run = await chosenRun(client, context, job);
    const target = context.text('output');
    const request = target === undefined ? {} : { unpackTo: path.resolve(context.cwd, target) };
    const { files } = await client.call('POST /v1/runs/{id}/jobs/{job}/artifacts', request, {
      path: { id: String(run.id), job },
    });
    context.output.result(
      files.length === 0 ? `${job} of run ${run.id} left no artifacts` : files.join('\n'),
    );
    return EXIT.passed;
  },
};

async function listRuns(client: ControlClient, context: Context): Promise<number> {
  const runs = await client.call('GET /v1/runs', undefined);
  const head = ['RUN', 'STATE', 'REF', 'COMMIT', 'TIME', 'TITLE'].map((cell) =>
    context.output.style('bold', cell),
  );
  const rows = runs.map((run) => [
    String(run.id),
    run.status,
    run.ref,
    run.sha.slice(0, 8),
    duration(run.durationMs),
    run.title,
  ]);
  context.output.result(rows.length === 0 ? 'No runs yet' : table([head, ...rows]));
  return EXIT.passed;
}

async function chosenRun(client: ControlClient, context: Context, job: string): Promise<RunView> {
  const runs = await client.call('GET /v1/runs', undefined);
  const id = context.text('run');
  const candidates = id === undefined ? runs : runs.filter((run) => String(run.id) === id);
  const run = candidates.find((each) => each.jobs.some((other) => other.name === job));
  if (run) return run;
  const names = [...new Set(runs.flatMap((each) => each.jobs.map((other) => other.name)))];
  const near = nearest(job, names);
  throw new UsageError(
    id === undefined ? `no run has had a job ${job}` : `run ${id} has no job ${job}`,
    near === undefined ? 'See: updraft logs' : `Did you mean ${near}?`,
  );
}
