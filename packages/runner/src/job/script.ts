/**
 * The text of a job's shell scripts. The commands stand in it as the user wrote them; what is ours around them are
 * the lines that echo each command and that make the first failure end the script.
 */

/** errexit everywhere; pipefail where the shell knows it (dash ends the script when asked for an option it lacks). */
const PREAMBLE = [
  `case "$(set -o 2>/dev/null)" in *pipefail*) set -o pipefail ;; esac`,
  'set -o errexit',
  'set +o noclobber',
].join('\n');

/** One script of before_script and script, or of after_script. `cd`, variables and options carry over between items. */
export function shellScript(projectDir: string, commands: readonly string[]): string {
  const body = commands.map((command) => `${echo(command)}\n${command}`).join('\n');
  return `${PREAMBLE}\ncd ${quote(projectDir)}\n${body}\n`;
}

/** `$ command`, the first line of a longer one. */
function echo(command: string): string {
  const [first = '', ...rest] = command.split('\n');
  const more = rest.some((line) => line.trim() !== '') ? ' # collapsed multi-line command' : '';
  return `printf '%s\\n' ${quote(`$ ${first}${more}`)}`;
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
