/** GitLab's limits. */
const LARGEST_BYTES = 5 * 1024;
const MOST_VARIABLES = 150;
/** What GitLab allows without a subscription. */
const USUAL_VARIABLES = 20;

export type Dotenv =
  | {
      readonly kind: 'variables';
      readonly variables: Readonly<Record<string, string>>;
      readonly warning?: string;
    }
  /** GitLab refuses the report as a whole, and the job fails. */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * A dotenv report (`artifacts:reports:dotenv`) by GitLab's rules: every line is `KEY=value`, also the last; values are
 * taken literally but for the blanks around them, the last of a key wins; blank lines and comments are errors.
 */
export function parseDotenv(text: string): Dotenv {
  const bytes = Buffer.byteLength(text);
  if (bytes > LARGEST_BYTES) return refused(`it has ${bytes} bytes, GitLab takes at most ${LARGEST_BYTES}`);
  const variables: Record<string, string> = {};
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    const cut = line.indexOf('=');
    const key = line.slice(0, Math.max(cut, 0)).trim();
    if (cut < 0 || !/^[A-Za-z0-9_]+$/.test(key)) {
      return refused(`line ${index + 1} is not KEY=value${hint(line)}`);
    }
    variables[key] = line.slice(cut + 1).trim();
  }
  const count = Object.keys(variables).length;
  if (count > MOST_VARIABLES)
    return refused(`it has ${count} variables, GitLab takes at most ${MOST_VARIABLES}`);
  const warning = `it has ${count} variables; without a subscription GitLab takes ${USUAL_VARIABLES}`;
  return { kind: 'variables', variables, ...(count > USUAL_VARIABLES ? { warning } : {}) };
}

const refused = (why: string): Dotenv => ({ kind: 'refused', why });

function hint(line: string): string {
  if (line.trim() === '') return ' (GitLab allows no blank lines)';
  if (line.trim().startsWith('#')) return ' (GitLab allows no comments)';
  return '';
}
