/**
 * The text of a job's shell scripts. The commands stand in it as the user wrote them; what is ours around them are
 * the lines that echo each command and that make the first failure end the script.
 */

/** errexit everywhere; pipefail where the shell knows it (dash ends the script when asked for an option it lacks). */
const PREAMBLE = [
  // bash is told by a variable that only it can get right, which saves a process.
  'if [ "${BASHPID-}" = "$$" ]; then set -o pipefail; else',
  `case "$(set -o 2>/dev/null)" in *pipefail*) set -o pipefail ;; esac; fi`,
  'set -o errexit',
  'set +o noclobber',
];

/** What FF_ENABLE_BASH_EXIT_CODE_CHECK puts after every command: it ends a script that has switched errexit off. */
const EXIT_CODE_CHECK =
  '_runner_exit_code=$?; if [ $_runner_exit_code -ne 0 ]; then exit $_runner_exit_code; fi';

export interface ScriptOptions {
  /** Exported first: what does not fit into a process's environment. */
  readonly exports?: Readonly<Record<string, string>>;
  /** CI_DEBUG_TRACE. */
  readonly trace?: boolean;
  readonly checkExitCodes?: boolean;
}

/** One script of before_script and script, or of after_script. `cd`, variables and options carry over between items. */
export function shellScript(
  projectDir: string,
  commands: readonly string[],
  options: ScriptOptions = {},
): string {
  const exports = Object.entries(options.exports ?? {}).map(
    ([key, value]) => `export ${key}=${quote(value)}`,
  );
  const lines = [...exports, ...(options.trace ? ['set -o xtrace'] : []), ...PREAMBLE];
  lines.push(`cd ${quote(projectDir)}`);
  for (const command of commands.map((text) => text.trim())) {
    lines.push(echo(command), command);
    if (options.checkExitCodes) lines.push(EXIT_CODE_CHECK);
  }
  return `${lines.join('\n')}\n`;
}

/** `$ command`, the first line of a longer one, as GitLab shows it. */
function echo(command: string): string {
  if (command === '') return 'echo';
  const end = command.indexOf('\n');
  const shown = end < 0 ? command : `${command.slice(0, end)} # collapsed multi-line command`;
  return `printf '%s\\n' ${quote(`$ ${shown}`)}`;
}

/** A word that every POSIX shell reads as this text. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Runs a script file with bash when the image has it, else with sh. */
export function shellCommand(file: string): readonly string[] {
  const choose = 'if command -v bash >/dev/null 2>&1; then exec bash "$0"; else exec sh "$0"; fi';
  return ['sh', '-c', choose, file];
}

/** One string of a process's environment may have 128 KiB, `name=value` and its end. */
const LONGEST_BYTES = 128 * 1024 - 1;
/** All of them together: a quarter of the smallest usual stack, with room for the arguments and what the image brings. */
const ALL_BYTES = 1024 * 1024;

/** A name that a shell can export; others only a process's environment can carry. */
const EXPORTABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Divides variables into those that the kernel hands to the shell, and those that the script itself exports: values
 * that are too large for it, and PATH, which must not decide whether a shell is found. Programs that the script starts
 * get all of them, or the kernel's refusal, as with GitLab's runner, which exports everything.
 */
export function divideEnvironment(values: Readonly<Record<string, string>>): {
  readonly process: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
} {
  const inProcess: Record<string, string> = {};
  const exports: Record<string, string> = {};
  let total = 0;
  for (const [key, value] of Object.entries(values)) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value) + 2;
    const fits = bytes <= LONGEST_BYTES && total + bytes <= ALL_BYTES && key !== 'PATH';
    if (fits || !EXPORTABLE.test(key)) {
      inProcess[key] = value;
      total += bytes;
    } else exports[key] = value;
  }
  return { process: inProcess, exports };
}
