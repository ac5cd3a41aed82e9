import type { RuleContext, Run } from './context.ts';
import { scriptText } from './context.ts';
import type { Finding } from './finding.ts';
import { isPosixShell, shellName } from './stage-shell.ts';

/** ShellCheck, wherever it comes from. Positions in what it gives back are not used. */
export type ShellCheck = (script: string, shell: ShellDialect) => Promise<readonly Finding[]>;

export type ShellDialect = 'sh' | 'bash' | 'ksh' | 'dash';

const DIALECTS: readonly ShellDialect[] = ['sh', 'bash', 'ksh', 'dash'];

/** Never useful inside a RUN: following sourced files, and remarks on ash. */
const ALWAYS_OFF = ['SC1090', 'SC2187'];

const PROXY_VARIABLES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'FTP_PROXY', 'ftp_proxy', 'NO_PROXY', 'no_proxy']; // prettier-ignore

/** ShellCheck's findings for every RUN, each on the line its instruction starts at. */
export async function shellFindings(
  context: RuleContext,
  shellcheck: ShellCheck,
): Promise<readonly Finding[]> {
  // All at once: what is asked for together, the program answers in one go.
  const all = await Promise.all(context.runs.map((run) => runFindings(run, shellcheck)));
  return all.flat();
}

async function runFindings(run: Run, shellcheck: ShellCheck): Promise<readonly Finding[]> {
  const dialect = dialectOf(run);
  if (dialect === undefined) return [];
  const found = await shellcheck(scriptFor(run), dialect);
  const kept = found.filter(({ code }) => !ALWAYS_OFF.includes(code));
  return distinct(kept.map((finding) => ({ ...finding, line: run.line, column: 1 })));
}

/** The same remark about several places of one RUN is one finding: they all have its line. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const byText = new Map(findings.map((finding) => [`${finding.code}\0${finding.message}`, finding]));
  return [...byText.values()];
}

/** What ONBUILD triggers runs in another build: as the original, this counts on neither its SHELL nor its variables. */
function dialectOf(run: Run): ShellDialect | undefined {
  if (!isPosixShell(run.shell)) return undefined;
  const shebang = /^#!\s*(?:\S*\/)?(?:env\s+)?([\w-]+)/.exec(scriptText(run.instruction))?.[1];
  const name = shebang ?? (run.onbuild ? 'sh' : shellName(run.shell));
  const dialect = DIALECTS.find((candidate) => candidate === name);
  return shebang === undefined ? (dialect ?? 'sh') : dialect;
}

/** The script with the variables the build sets exported, so that they do not count as unassigned. */
function scriptFor(run: Run): string {
  const before = run.onbuild ? [] : run.stage.instructions;
  const names = before
    .filter(({ line }) => line < run.line)
    .flatMap(({ instruction }) =>
      instruction.keyword === 'ENV' || instruction.keyword === 'ARG'
        ? instruction.pairs.map(({ name }) => name.text)
        : [],
    )
    .filter((name) => /^[A-Za-z_]\w*$/.test(name));
  const exports = [...new Set([...PROXY_VARIABLES, ...names])].map((name) => `export ${name}=1`);
  return `#!${(run.onbuild ? undefined : run.shell[0]) ?? '/bin/sh'}\n${exports.join('\n')}\n${scriptText(run.instruction)}\n`;
}
