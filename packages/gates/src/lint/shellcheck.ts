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
  const findings: Finding[] = [];
  for (const run of context.runs) {
    const dialect = dialectOf(run);
    if (dialect === undefined) continue;
    const found = await shellcheck(scriptFor(run), dialect);
    const kept = found.filter(({ code }) => !ALWAYS_OFF.includes(code));
    findings.push(...kept.map((finding) => ({ ...finding, line: run.line, column: 1 })));
  }
  return findings;
}

function dialectOf(run: Run): ShellDialect | undefined {
  if (!isPosixShell(run.shell)) return undefined;
  const shebang = /^#!\s*(?:\S*\/)?(?:env\s+)?([\w-]+)/.exec(scriptText(run.instruction))?.[1];
  const name = shebang ?? shellName(run.shell);
  const dialect = DIALECTS.find((candidate) => candidate === name);
  return shebang === undefined ? (dialect ?? 'sh') : dialect;
}

/** The script with the variables the build sets exported, so that they do not count as unassigned. */
function scriptFor(run: Run): string {
  const names = run.stage.instructions
    .filter(({ line }) => line < run.line)
    .flatMap(({ instruction }) =>
      instruction.keyword === 'ENV' || instruction.keyword === 'ARG'
        ? instruction.pairs.map(({ name }) => name.text)
        : [],
    )
    .filter((name) => /^[A-Za-z_]\w*$/.test(name));
  const exports = [...new Set([...PROXY_VARIABLES, ...names])].map((name) => `export ${name}=1`);
  return `#!${run.shell[0] ?? '/bin/sh'}\n${exports.join('\n')}\n${scriptText(run.instruction)}\n`;
}
