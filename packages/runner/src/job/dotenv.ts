/**
 * A dotenv report (`artifacts:reports:dotenv`): `KEY=value` a line, values taken literally, the last of a key wins.
 * Blank lines are passed over. @returns the variables and the lines that are no such thing.
 */
export function parseDotenv(text: string): {
  readonly variables: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
} {
  const variables: Record<string, string> = {};
  const refused: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match?.[1] === undefined) refused.push(line);
    else variables[match[1]] = match[2] ?? '';
  }
  return { variables, refused };
}
