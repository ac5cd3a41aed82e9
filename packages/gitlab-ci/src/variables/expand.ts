/** Every way to write a variable; `$$` and `%%` are matched so that what follows them is left alone. */
const MENTION = /\$\$|%%|\$([a-zA-Z_]\w*)|\$\{([a-zA-Z_]\w*)\}|%([a-zA-Z_]\w*)%/g;

export interface ExpandOptions {
  /** Leave mentions of unknown variables as they are; otherwise they vanish. */
  readonly keepUndefined?: boolean;
  /** The last pass, the runner's: `$$X` becomes the text `$X`. Without it `$$` stays. */
  readonly final?: boolean;
}

/**
 * Longer than any variable that can be handed to a process. Texts do not grow beyond it: variables that mention each
 * other twice would double with each of them.
 */
const MAX_LENGTH = 256 * 1024;

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
  let grown = text.length;
  return text.replaceAll(MENTION, (mention, ...names: (string | undefined)[]) => {
    const name = names[0] ?? names[1] ?? names[2];
    if (name === undefined) return options.final && mention === '$$' ? '$' : mention;
    const value = look(name) ?? (options.keepUndefined ? mention : '');
    grown += value.length;
    return grown > MAX_LENGTH && value.length > mention.length ? mention : value;
  });
}

/** The names a text mentions. */
export function mentionedVariables(text: string): string[] {
  if (!text.includes('$') && !text.includes('%')) return [];
  return [...text.matchAll(MENTION)].flatMap((found) => found[1] ?? found[2] ?? found[3] ?? []);
}
