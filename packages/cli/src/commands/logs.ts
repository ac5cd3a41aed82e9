import path from 'node:path';
import { EXIT, UsageError } from '../command.ts';
import type { Command } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { clean } from '../render/run.ts';
import { RUN_OPTION, chosenRun } from './chosen-run.ts';
import { runs } from './runs.ts';

export const logs: Command = {
  name: 'logs',
  summary: 'Print the log of a job, or list the runs',
  usage: 'logs [JOB] [--run ID]',
  options: [RUN_OPTION, { name: 'raw', help: 'with the control sequences the job printed' }],
  async run(context) {
    const [job] = context.words;
    if (job === undefined) return runs.run(context);
    const client = connect(context.env, context.output);
    const run = await chosenRun(client, context, [job]);
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
    const client = connect(context.env, context.output);
    const run = await chosenRun(client, context, [job]);
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
