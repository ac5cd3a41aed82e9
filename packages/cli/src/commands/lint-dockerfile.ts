import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import type { Command } from '../command.ts';
import { EXIT, UsageError } from '../command.ts';

export const lintDockerfile: Command = {
  name: 'lint-dockerfile',
  summary: 'Check Dockerfiles against Hadolint’s rules',
  usage: 'lint-dockerfile [--format FORMAT] FILE...|-',
  options: [
    {
      name: 'format',
      value: 'FORMAT',
      help: 'tty (default), json, sarif, codeclimate, checkstyle, gnu, gitlab_codeclimate',
    },
    { name: 'failure-threshold', value: 'LEVEL', help: 'error, warning, info (default) or style' },
    { name: 'ignore', value: 'CODE', repeated: true, help: 'leave a rule out' },
    { name: 'config', value: 'FILE', help: 'instead of .hadolint.yaml' },
  ],
  async run(context) {
    if (context.words.length === 0)
      throw new UsageError('no Dockerfile is named', 'Name files, or - for standard input.');
    const flags = ['format', 'failure-threshold', 'config'].flatMap((name) => {
      const value = context.text(name);
      return value === undefined ? [] : [`--${name}`, value];
    });
    const ignores = context.texts('ignore').flatMap((code) => ['--ignore', code]);
    const { hadolintCommand, shellcheckProgram } = await import('@updraft/gates');
    const shellcheck = await shellcheckProgram();
    const code = await hadolintCommand([...flags, ...ignores, ...context.words], {
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
