import { createInterface } from 'node:readline/promises';
import type { RunView } from '@updraft/control';
import { EXIT, UsageError, keyValues } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { duration, table } from '../render/table.ts';
import { RUN_OPTION, chosenRun, runsHere } from './chosen-run.ts';
import { conclude, watchRun } from './watch.ts';

const WATCH_OPTIONS = [
  { name: 'logs', help: 'print every job’s log as it grows' },
  { name: 'json', help: 'print the jobs as JSON when it is over' },
] as const;

export const runs: Command = {
  name: 'runs',
  summary: 'List the runs of this project',
  usage: 'runs [--all] [--json]',
  operands: false,
  options: [
    { name: 'all', help: 'of every project' },
    { name: 'json', help: 'as JSON, with their jobs' },
  ],
  async run(context) {
    const client = connect(context.env, context.output);
    const all = context.flag('all')
      ? await client.call('GET /v1/runs', undefined)
      : await runsHere(client, context);
    context.output.result(context.flag('json') ? JSON.stringify(all, null, 2) : runTable(all, context));
    return EXIT.passed;
  },
};

function runTable(all: readonly RunView[], { output }: Context): string {
  if (all.length === 0) return 'No runs yet';
  const head = ['RUN', 'STATE', 'REF', 'COMMIT', 'JOBS', 'TIME', 'TITLE'].map((cell) =>
    output.style('bold', cell),
  );
  const rows = all.map((run) => {
    const passed = run.jobs.filter((job) => job.status === 'success').length;
    const title = run.parent ? `(child of ${run.parent.run}: ${run.parent.job})` : run.title;
    const jobs = `${passed}/${run.jobs.length}`;
    return [String(run.id), run.status, run.ref, run.sha.slice(0, 8), jobs, duration(run.durationMs), title];
  });
  return table([head, ...rows]);
}

export const play: Command = {
  name: 'play',
  summary: 'Start manual or delayed jobs of a run, also of one that is over',
  usage: 'play JOB... [--run ID] [--variable K=V]',
  options: [
    RUN_OPTION,
    { name: 'variable', value: 'K=V', repeated: true, help: 'set a variable for these jobs' },
    { name: 'yes', short: 'y', help: 'do not ask, even where the job wants to be confirmed' },
    ...WATCH_OPTIONS,
  ],
  details: `
The run goes on where it stood: with its commit, its number and the artifacts of the jobs that have passed. What waited
for the job follows it.`,
  async run(context) {
    const jobs = context.words;
    if (jobs.length === 0) throw new UsageError('updraft play needs a job', 'See: updraft runs');
    const client = connect(context.env, context.output);
    const run = await chosenRun(client, context, jobs);
    if (!(await confirmed(context, run))) return EXIT.failed;
    const variables = keyValues(context.texts('variable'), 'variable');
    const request = { jobs, variables, attached: true };
    const events = client.stream('POST /v1/runs/{id}/play', request, { path: { id: String(run.id) } });
    return conclude(client, context, await watchRun(client, context, events, run.status === 'running'));
  },
};

/** `manual_confirmation`: asks on a terminal; elsewhere it takes `--yes`. */
async function confirmed(context: Context, run: RunView): Promise<boolean> {
  if (context.flag('yes')) return true;
  const asking = run.jobs.filter((job) => context.words.includes(job.name) && job.confirmation !== undefined);
  for (const { name, confirmation } of asking) {
    if (!process.stdin.isTTY) {
      throw new UsageError(`${name} wants to be confirmed: ${confirmation}`, 'Say --yes to start it.');
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question(`${name}: ${confirmation} [y/N] `);
    terminal.close();
    if (!/^y(es)?$/i.test(answer.trim())) return false;
  }
  return true;
}

export const retry: Command = {
  name: 'retry',
  summary: 'Run jobs of a run again; without names whatever did not pass',
  usage: 'retry [JOB...] [--run ID]',
  options: [RUN_OPTION, ...WATCH_OPTIONS],
  details: `
With its commit, its number and the artifacts of the jobs that have passed; jobs that were skipped after a job get their
turn again.`,
  async run(context) {
    const client = connect(context.env, context.output);
    const run = await chosenRun(client, context, context.words);
    const request = { jobs: context.words, attached: true };
    const events = client.stream('POST /v1/runs/{id}/retry', request, { path: { id: String(run.id) } });
    return conclude(client, context, await watchRun(client, context, events, run.status === 'running'));
  },
};

export const cancel: Command = {
  name: 'cancel',
  summary: 'End a run that goes on, or some of its jobs',
  usage: 'cancel [JOB...] [--run ID] [--force]',
  options: [RUN_OPTION, { name: 'force', help: 'without waiting for after_script' }],
  async run(context) {
    const client = connect(context.env, context.output);
    const jobs = context.words;
    const { id } = await chosenRun(client, context, jobs);
    const request = { jobs, force: context.flag('force') };
    await client.call('POST /v1/runs/{id}/cancel', request, { path: { id: String(id) } });
    context.output.say(
      jobs.length === 0 ? `Run ${id} is canceled` : `Canceled in run ${id}: ${jobs.join(', ')}`,
    );
    return EXIT.passed;
  },
};

export const prune: Command = {
  name: 'prune',
  summary: 'Remove logs and artifacts of old runs, and caches',
  usage: 'prune [--keep N] [--caches]',
  operands: false,
  options: [
    { name: 'keep', value: 'N', help: 'keep those of so many of the newest runs (default: 10)' },
    { name: 'caches', help: 'the caches of all projects, too' },
  ],
  async run(context) {
    const keep = context.text('keep') ?? '10';
    if (!/^\d{1,6}$/.test(keep))
      throw new UsageError(`--keep ${keep}: not a number`, 'For example: --keep 5');
    const client = connect(context.env, context.output);
    const request = { keepRuns: Number(keep), caches: context.flag('caches') };
    const { runs: count, bytes } = await client.call('POST /v1/prune', request);
    context.output.say(`Removed the files of ${count} runs: ${(bytes / 1e6).toFixed(1)} MB`);
    return EXIT.passed;
  },
};
