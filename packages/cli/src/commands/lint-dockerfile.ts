import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import type { Command, Context } from '../command.ts';
import { EXIT, UsageError } from '../command.ts';

/** Options handed to the lint as they are. */
const VALUES = [
  {
    name: 'format',
    short: 'f',
    value: 'FORMAT',
    help: 'tty (default), json, sarif, codeclimate, gitlab_codeclimate, checkstyle, gnu, sonarqube, codacy',
  },
  {
    name: 'failure-threshold',
    short: 't',
    value: 'LEVEL',
    help: 'error, warning, info (default), style, none',
  },
  { name: 'config', short: 'c', value: 'FILE', help: 'instead of .hadolint.yaml' },
  {
    name: 'rules',
    value: 'SET',
    help: 'compatible (Hadolint 2.12, default), newest, all (with our own, UP…)',
  },
  { name: 'explain', value: 'CODE', help: 'what a rule is about, with a bad and a good example' },
  { name: 'file-path-in-report', value: 'PATH', help: 'name of the file in the report' },
] as const;

const LISTS = [
  { name: 'ignore', value: 'CODE', repeated: true, help: 'leave a rule out' },
  { name: 'error', value: 'CODE', repeated: true, help: 'make a rule an error' },
  { name: 'warning', value: 'CODE', repeated: true, help: 'make a rule a warning' },
  { name: 'info', value: 'CODE', repeated: true, help: 'make a rule a remark' },
  { name: 'style', value: 'CODE', repeated: true, help: 'make a rule a matter of style' },
  { name: 'trusted-registry', value: 'HOST', repeated: true, help: 'where FROM may pull from' },
  { name: 'require-label', value: 'NAME:TYPE', repeated: true, help: 'a label that has to be there' },
] as const;

const SWITCHES = [
  { name: 'no-fail', help: 'exit 0 whatever is found' },
  { name: 'strict-labels', help: 'no labels but the required ones' },
  { name: 'disable-ignore-pragma', help: 'do not heed "# hadolint ignore=…"' },
] as const;

export const lintDockerfile: Command = {
  name: 'lint-dockerfile',
  summary: 'Check Dockerfiles against Hadolint’s rules',
  usage: 'lint-dockerfile [--format FORMAT] FILE...|-',
  options: [...VALUES, ...LISTS, ...SWITCHES, { name: 'json', help: 'the same as --format json' }],
  details: 'Scripts inside RUN are checked too when ShellCheck is installed.',
  async run(context) {
    const isQuestion = context.text('explain') !== undefined;
    if (context.words.length === 0 && !isQuestion)
      throw new UsageError('no Dockerfile is named', 'Name files, or - for standard input.');
    const { hadolintCommand, shellcheckProgram } = await import('@updraft/gates');
    const shellcheck = isQuestion ? undefined : await shellcheckProgram();
    const code = await hadolintCommand([...flags(context), ...context.words], {
      env: context.env,
      ...(shellcheck ? { shellcheck } : {}),
      readFile: (file) => readIfPresent(path.resolve(context.cwd, file)),
      stdin: readStdin,
      stdout: (text) => void process.stdout.write(text),
      stderr: (text) => void process.stderr.write(text),
    });
    return code === 0 ? EXIT.passed : EXIT.failed;
  },
};

function flags(context: Context): readonly string[] {
  const values = VALUES.flatMap(({ name }) => {
    const value = context.text(name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  const lists = LISTS.flatMap(({ name }) => context.texts(name).map((value) => `--${name}=${value}`));
  const switches = SWITCHES.flatMap(({ name }) => (context.flag(name) ? [`--${name}`] : []));
  return [...values, ...lists, ...switches, ...(context.flag('json') ? ['--format=json'] : [])];
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
  return text;
}
