/**
 * One step of a pattern. `folders` is an optional run of whole folders (`a/b/`); it takes two places in the list, the
 * second being "inside such a run".
 */
export type GlobToken =
  | { readonly kind: 'one'; readonly accepts: (character: string) => boolean; readonly literal?: string }
  | { readonly kind: 'many'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'folders' }
  | { readonly kind: 'insideFolders' };

export const notSlash = (character: string): boolean => character !== '/';
export const anything = (): boolean => true;

export function literalToken(character: string): GlobToken {
  return { kind: 'one', accepts: (other) => other === character, literal: character };
}

/**
 * All places where a match that starts at `from` can end. Works through the text once with the set of open
 * possibilities, so no pattern can make it slow.
 */
export function matchEnds(tokens: readonly GlobToken[], text: readonly string[], from = 0): number[] {
  const ends: number[] = [];
  let open = closure(tokens, [0]);
  for (let at = from; ; at += 1) {
    if (open.has(tokens.length)) ends.push(at);
    const character = text[at];
    if (character === undefined || open.size === 0) return ends;
    open = closure(tokens, advance(tokens, open, character));
  }
}

/** Does the whole text match? */
export function matchesWhole(tokens: readonly GlobToken[], text: string): boolean {
  const characters = Array.from(text);
  return matchEnds(tokens, characters).includes(characters.length);
}

function closure(tokens: readonly GlobToken[], states: readonly number[]): Set<number> {
  const open = new Set<number>();
  const pending = [...states];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (open.has(state)) continue;
    open.add(state);
    const kind = tokens[state]?.kind;
    if (kind === 'many') pending.push(state + 1);
    if (kind === 'folders') pending.push(state + 2);
  }
  return open;
}

function advance(tokens: readonly GlobToken[], open: ReadonlySet<number>, character: string): number[] {
  return [...open].flatMap((state) => {
    const token = tokens[state];
    return token ? step(token, state, character) : [];
  });
}

function step(token: GlobToken, state: number, character: string): number[] {
  if (token.kind === 'one') return token.accepts(character) ? [state + 1] : [];
  if (token.kind === 'many') return token.accepts(character) ? [state] : [];
  const inside = token.kind === 'folders' ? state + 1 : state;
  return character === '/' ? [inside, inside + 1] : [inside];
}

/** Reads `[a-z]` or `[^a-z]` that starts at `from`; undefined when it is malformed. */
export function readClass(
  pattern: readonly string[],
  from: number,
): { token: GlobToken; end: number } | undefined {
  let at = from + 1;
  const negated = pattern[at] === '^';
  if (negated) at += 1;
  const ranges: [string, string][] = [];
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = readClassCharacter(pattern, at);
    if (!low) return undefined;
    at = low.end;
    let high = low;
    if (pattern[at] === '-') {
      const read = readClassCharacter(pattern, at + 1);
      if (!read) return undefined;
      high = read;
      at = read.end;
    }
    ranges.push([low.character, high.character]);
  }
  const within = (character: string) => ranges.some(([low, high]) => low <= character && character <= high);
  return { token: { kind: 'one', accepts: (character) => within(character) !== negated }, end: at + 1 };
}

function readClassCharacter(pattern: readonly string[], at: number) {
  const escaped = pattern[at] === '\\';
  const character = pattern[escaped ? at + 1 : at];
  if (character === undefined || (!escaped && (character === '-' || character === ']'))) return undefined;
  return { character, end: at + (escaped ? 2 : 1) };
}

/**
 * A path pattern as COPY understands it (`*`, `?`, `[…]`, `\x`; none of them crosses a `/`), with `folders` also `**`.
 * Undefined when it is malformed.
 */
export function compileGlob(
  pattern: string,
  options: { folders: boolean } = { folders: false },
): ((path: string) => boolean) | undefined {
  const tokens = pathTokens(Array.from(pattern), options);
  return tokens && ((path) => matchesWhole(tokens, path));
}

/** True when the pattern has something in it that is not meant literally. */
export function isGlob(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/** `folders`: `**` means any run of folders, as in .dockerignore. */
export function pathTokens(
  pattern: readonly string[],
  options: { folders: boolean },
): GlobToken[] | undefined {
  const tokens: GlobToken[] = [];
  let at = 0;
  while (at < pattern.length) {
    const read = readToken(pattern, at, options);
    if (!read) return undefined;
    tokens.push(...read.tokens);
    at = read.end;
  }
  return tokens;
}

function readToken(pattern: readonly string[], at: number, options: { folders: boolean }) {
  const character = pattern[at] ?? '';
  if (character === '*') {
    if (options.folders && pattern[at + 1] === '*') return readDoubleStar(pattern, at);
    return { tokens: [{ kind: 'many', accepts: notSlash } as const], end: at + 1 };
  }
  if (character === '?') return { tokens: [{ kind: 'one', accepts: notSlash } as const], end: at + 1 };
  if (character === '[') {
    const read = readClass(pattern, at);
    return read && { tokens: [read.token], end: read.end };
  }
  if (character !== '\\') return { tokens: [literalToken(character)], end: at + 1 };
  const escaped = pattern[at + 1];
  return escaped === undefined ? undefined : { tokens: [literalToken(escaped)], end: at + 2 };
}

/** `**` at the end is everything; elsewhere, with or without a slash after it, any run of folders. */
function readDoubleStar(pattern: readonly string[], at: number): { tokens: GlobToken[]; end: number } {
  const end = at + (pattern[at + 2] === '/' ? 3 : 2);
  if (end >= pattern.length) return { tokens: [{ kind: 'many', accepts: anything }], end };
  return { tokens: [{ kind: 'folders' }, { kind: 'insideFolders' }], end };
}
