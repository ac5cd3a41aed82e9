import { Fault, messageOf } from '@updraft/kit';
import { ControlError, VERSION, isUsersFault } from '@updraft/control';
import { EXIT, UsageError, helpOf, parseWords } from './command.ts';
import type { Command } from './command.ts';
import { nearest } from '@updraft/kit';
import { createOutput } from './output.ts';
import type { Output } from './output.ts';
import { problemLines } from './render/problems.ts';

async function main(commands: readonly Command[]): Promise<number> {
  const output = createOutput(process.stdout, process.stderr, process.env);
  const [verb, ...words] = process.argv.slice(2);
  if (verb === undefined || verb === 'help' || verb === '--help' || verb === '-h') {
    output.result(overview(commands));
    return EXIT.passed;
  }
  if (verb === '--version' || verb === 'version') {
    output.result(VERSION);
    return EXIT.passed;
  }
  try {
    return await runCommand(findCommand(commands, verb), words, output);
  } catch (error) {
    return explain(error, output);
  }
}

async function runCommand(command: Command, words: readonly string[], output: Output): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    output.result(helpOf(command));
    return EXIT.passed;
  }
  const parsed = parseWords(command, words);
  const controller = new AbortController();
  const stop = () => controller.abort(new Error('interrupted'));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return command.run({ ...parsed, output, env: process.env, cwd: process.cwd(), signal: controller.signal });
}

function findCommand(commands: readonly Command[], verb: string): Command {
  const command = commands.find((candidate) => candidate.name === verb);
  if (command) return command;
  const near = nearest(
    verb,
    commands.map((candidate) => candidate.name),
  );
  throw new UsageError(
    `there is no command ${verb}`,
    near === undefined ? 'See: updraft help' : `Did you mean: updraft ${near}?`,
  );
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const rows = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`).join('\n');
  return `Updraft ${VERSION}: a GitLab pipeline, from a commit to a live environment, on one machine.

Usage: updraft COMMAND [OPTIONS]

Commands:
${rows}

updraft COMMAND --help tells more. State lies in UPDRAFT_HOME (default ~/.updraft).
Exit codes: 0 passed, 1 failed, 2 wrong usage or configuration, 3 the platform cannot run here.`;
}

/** One message, the next step, and the exit code that fits. */
function explain(error: unknown, output: Output): number {
  const show = (message: string, next: string | undefined) => {
    output.say(`${output.style('red', 'error:')} ${message}`);
    if (next !== undefined) output.say(`  ${next}`);
  };
  if (error instanceof UsageError) {
    show(error.message, error.next);
    return EXIT.usage;
  }
  if (error instanceof ControlError) {
    for (const line of problemLines(error.view.problems ?? [], output)) output.say(line);
    show(error.view.message, error.view.next);
    return error.status < 500 ? EXIT.usage : EXIT.platform;
  }
  if (error instanceof Fault) {
    show(error.message, error.next);
    return isUsersFault(error.code) ? EXIT.usage : EXIT.platform;
  }
  show(
    `unexpected: ${messageOf(error)}`,
    'This is a defect of Updraft; UPDRAFT_DEBUG=1 shows where it happened.',
  );
  if (process.env['UPDRAFT_DEBUG'] && error instanceof Error) output.say(error.stack ?? '');
  return EXIT.platform;
}

/** The whole life of the process: its exit code is set at the end. */
export async function runProgram(commands: readonly Command[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.passed);
    throw error;
  });
  process.exitCode = await main(commands);
}
