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
 * ShellCheck by the installed program, or undefined when there is none. The script goes through standard input.
 * What it gives throws Fault SHELLCHECK_FAILED when the program does not answer as it should.
 */
export async function shellcheckProgram(program: string = 'shellcheck'): Promise<ShellCheck | undefined> {
  try {
    const { code } = await run(program, ['--version']);
    return code === 0 ? (script, shell) => check(program, script, shell) : undefined;
  } catch (error) {
    if (codeOf(error) === 'PROGRAM_MISSING' || codeOf(error) === 'PROGRAM_NOT_STARTED') return undefined;
    throw error;
  }
}

async function check(program: string, script: string, shell: ShellDialect): Promise<readonly Finding[]> {
  const { code, stdout, stderr } = await run(program, ['--format=json', `--shell=${shell}`, '--norc', '-'], {
    input: script,
  });
  // 1 means that there are findings.
  if (code !== 0 && code !== 1) throw failed(stderr.trim());
  try {
    return (JSON.parse(stdout) as readonly Comment[]).map(toFinding);
  } catch (error) {
    throw failed(messageOf(error));
  }
}

interface Comment {
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
