/** Every way to write a variable; `$$` and `%%` are matched so that what follows them is left alone. */
const MENTION = /\$\$|%%|\$([a-zA-Z_]\w*)|\$\{([a-zA-Z_]\w*)\}|%([a-zA-Z_]\w*)%/g;

/** What Go's `os.Expand` takes for a variable: anything in braces, one special character, or a name. */
const RUNNER_MENTION = /\$(?:\{([^}]*)\}|(\{)|([*#$@!?\-\d]|[a-zA-Z_]\w*))/g;

export interface ExpandOptions {
  /** Leave mentions of unknown variables as they are; otherwise they vanish. */
  readonly keepUndefined?: boolean;
}

/**
 * Longer than any variable that can be handed to a process. Texts do not grow beyond it: variables that mention each
 * other twice would double with each of them.
 */
const MAX_LENGTH = 256 * 1024;

export type Lookup = (name: string) => string | undefined;

/** As GitLab's server does: replaces `$A`, `${A}` and `%A%` once: what comes in is not read again; `$$` stays. */
export function expandVariables(
  text: string,
  variables: Readonly<Record<string, string>> | Lookup,
  options: ExpandOptions = {},
): string {
  if (!text.includes('$') && !text.includes('%')) return text;
  const look = lookupIn(variables);
  let grown = text.length;
  return text.replaceAll(MENTION, (mention, ...names: (string | undefined)[]) => {
    const name = names[0] ?? names[1] ?? names[2];
    if (name === undefined) return mention;
    const value = look(name) ?? (options.keepUndefined ? mention : '');
    grown += value.length;
    return grown > MAX_LENGTH && value.length > mention.length ? mention : value;
  });
}

/**
 * As GitLab's runner does, after the server: replaces `$A` and `${A}` once, `$$` by `$`; what is unknown vanishes, and
 * with it all that no variable can be called, such as `$1` or `${A:-b}`. A percent sign is nothing special.
 */
export function expandAsRunner(text: string, variables: Readonly<Record<string, string>> | Lookup): string {
  if (!text.includes('$')) return text;
  const look = lookupIn(variables);
  let grown = text.length;
  return text.replaceAll(RUNNER_MENTION, (mention, ...found: (string | undefined)[]) => {
    const name = found[0] ?? found[2] ?? '';
    if (name === '$') return '$';
    const value = look(name) ?? '';
    grown += value.length;
    return grown > MAX_LENGTH && value.length > mention.length ? mention : value;
  });
}

const lookupIn = (variables: Readonly<Record<string, string>> | Lookup): Lookup =>
  typeof variables === 'function'
    ? variables
    : (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined);

/** The names a text mentions. */
export function mentionedVariables(text: string): string[] {
  if (!text.includes('$') && !text.includes('%')) return [];
  return [...text.matchAll(MENTION)].flatMap((found) => found[1] ?? found[2] ?? found[3] ?? []);
}
