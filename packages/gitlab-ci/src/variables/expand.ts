/** Every way to write a variable; `$$` and `%%` are matched so that what follows them is left alone. */
const MENTION = /\$\$|%%|\$([a-zA-Z_]\w*)|\$\{([a-zA-Z_]\w*)\}|%([a-zA-Z_]\w*)%/g;

export interface ExpandOptions {
  /** Leave mentions of unknown variables as they are; otherwise they vanish. */
  readonly keepUndefined?: boolean;
  /** The last pass, the runner's: `$$X` becomes the text `$X`. Without it `$$` stays. */
  readonly final?: boolean;
}

export type Lookup = (name: string) => string | undefined;

/** Replaces `$A`, `${A}` and `%A%` once: what comes in is not read again. */
export function expandVariables(
  text: string,
  variables: Readonly<Record<string, string>> | Lookup,
  options: ExpandOptions = {},
): string {
  if (!text.includes('$') && !text.includes('%')) return text;
  const look: Lookup =
    typeof variables === 'function'
      ? variables
      : (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined);
  return text.replaceAll(MENTION, (mention, ...names: (string | undefined)[]) => {
    const name = names[0] ?? names[1] ?? names[2];
    if (name === undefined) return options.final && mention === '$$' ? '$' : mention;
    return look(name) ?? (options.keepUndefined ? mention : '');
  });
}

/** The names a text mentions. */
export function mentionedVariables(text: string): string[] {
  if (!text.includes('$') && !text.includes('%')) return [];
  return [...text.matchAll(MENTION)].flatMap((found) => found[1] ?? found[2] ?? found[3] ?? []);
}
