import { UsageError } from '../command.ts';
import type { Command } from '../command.ts';
import { connect, socketOf } from '../daemon/connect.ts';
import { attachShell } from '../daemon/shell.ts';
import { RUN_OPTION, chosenRun } from './chosen-run.ts';

export const shell: Command = {
  name: 'shell',
  summary: 'Open a shell in a job: its image, files, variables and services',
  usage: 'shell JOB [--run ID] [-- COMMAND...]',
  options: [RUN_OPTION],
  details: `
After a failure the files are as the job left them (kept for the five jobs that failed last), and what you change is
there the next time. Of other jobs they are as the job finds them: the commit, caches and artifacts of earlier jobs.
Without a terminal, give a command. The exit code is the shell's.`,
  async run(context) {
    const [job, ...command] = context.words;
    if (job === undefined) throw new UsageError('updraft shell needs a job', 'See: updraft runs');
    const { stdin, stdout, stderr } = process;
    const isTerminal = stdin.isTTY && stdout.isTTY;
    const client = connect(context.env, context.output);
    const run = await chosenRun(client, context, [job]);
    const terminal = { columns: stdout.columns, rows: stdout.rows };
    const wish = { command, ...(isTerminal ? { terminal } : {}) };
    return attachShell(socketOf(context.env), { run: run.id, name: job }, wish, { stdin, stdout, stderr });
  },
};
