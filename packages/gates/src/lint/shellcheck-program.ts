import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { Fault, codeOf, messageOf, run } from '@updraft/kit';
import type { Finding, LintSeverity } from './finding.ts';
import type { ShellCheck, ShellDialect } from './shellcheck.ts';

const LEVELS: Readonly<Record<string, LintSeverity>> = {
  error: 'error',
  warning: 'warning',
  info: 'info',
  style: 'style',
};

/**
 * ShellCheck by the installed program, or undefined when there is none. Scripts that are asked about at the same moment go
 * to one process, as starting it costs more than most scripts do. What it gives throws Fault SHELLCHECK_FAILED when the
 * program does not answer as it should.
 */
export async function shellcheckProgram(program: string = 'shellcheck'): Promise<ShellCheck | undefined> {
  try {
    const { code } = await run(program, ['--version']);
    return code === 0 ? batched(program) : undefined;
  } catch (error) {
    if (codeOf(error) === 'PROGRAM_MISSING' || codeOf(error) === 'PROGRAM_NOT_STARTED') return undefined;
    throw error;
  }
}

interface Batch {
  readonly scripts: string[];
  readonly findings: Promise<readonly (readonly Finding[])[]>;
}

function batched(program: string): ShellCheck {
  const open = new Map<ShellDialect, Batch>();
  const begin = (shell: ShellDialect): Batch => {
    const scripts: string[] = [];
    // Everyone who asks before the next turn is in.
    const findings = Promise.resolve().then(() => {
      open.delete(shell);
      return check(program, scripts, shell);
    });
    const batch = { scripts, findings };
    open.set(shell, batch);
    return batch;
  };
  return async (script, shell) => {
    const { scripts, findings } = open.get(shell) ?? begin(shell);
    const index = scripts.push(script) - 1;
    return (await findings)[index] ?? [];
  };
}

/** Fewer than this are not worth another process. */
const SCRIPTS_A_PROCESS = 16;

/** The findings of each script, in their order. The same script is looked at once, many of them by several processes. */
async function check(
  program: string,
  scripts: readonly string[],
  shell: ShellDialect,
): Promise<readonly (readonly Finding[])[]> {
  const distinct = [...new Set(scripts)];
  const processes = Math.min(availableParallelism(), Math.ceil(distinct.length / SCRIPTS_A_PROCESS));
  const size = Math.ceil(distinct.length / processes);
  const parts = Array.from({ length: processes }, (_, at) => distinct.slice(at * size, (at + 1) * size));
  const found = (await Promise.all(parts.map((part) => checkPart(program, part, shell)))).flat();
  const byScript = new Map(distinct.map((script, index) => [script, found[index] ?? []]));
  return scripts.map((script) => byScript.get(script) ?? []);
}

async function checkPart(
  program: string,
  scripts: readonly string[],
  shell: ShellDialect,
): Promise<readonly (readonly Finding[])[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'updraft-shellcheck-'));
  try {
    const files = scripts.map((_, index) => path.join(folder, String(index)));
    await Promise.all(files.map((file, index) => writeFile(file, scripts[index] ?? '')));
    const comments = await comment(program, files, shell);
    return files.map((file) => comments.filter((one) => one.file === file).map(toFinding));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function comment(
  program: string,
  files: readonly string[],
  shell: ShellDialect,
): Promise<readonly Comment[]> {
  const { code, stdout, stderr } = await run(program, [
    '--format=json',
    `--shell=${shell}`,
    '--norc',
    ...files,
  ]);
  // 1 means that there are findings.
  if (code !== 0 && code !== 1) throw failed(stderr.trim());
  try {
    return JSON.parse(stdout) as readonly Comment[];
  } catch (error) {
    throw failed(messageOf(error));
  }
}

interface Comment {
  readonly file: string;
  readonly code: number;
  readonly level: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

function toFinding({ code, level, line, column, message }: Comment): Finding {
  return { code: `SC${code}`, severity: LEVELS[level] ?? 'warning', line, column, message };
}

function failed(why: string): Fault {
  return new Fault('SHELLCHECK_FAILED', `shellcheck gave no result: ${why}`);
}
