/** A pattern over paths, made once and asked often. Time grows with pattern times path, never faster. */
export type PathMatcher = (path: string) => boolean;

const MAX_ALTERNATIVES = 500;

/**
 * As Ruby's `fnmatch` with path names, dot files and braces: `*` stays within a folder, `**` followed by a slash
 * spans folders, `[a-z]`, `?`, `{a,b}`. Nothing begins with `/` or `./`: such patterns match nothing.
 */
export function fileMatcher(pattern: string): PathMatcher {
  const alternatives = expandBraces(pattern).map(alternativeMatcher);
  const [only] = alternatives;
  return only && alternatives.length === 1 ? only : (path) => alternatives.some((one) => one(path));
}

function alternativeMatcher(pattern: string): PathMatcher {
  const segments = pattern.split('/');
  const slow: PathMatcher = (path) => matchSegments(segments, path.split('/'));
  const quick = quickPattern(segments);
  return quick ? (path) => (path.length > MAX_QUICK_PATH ? slow(path) : quick.test(path)) : slow;
}

/** Beyond these a backtracking engine could become slow. */
const MAX_QUICK_PATH = 512;
const MAX_QUICK_STARS = 3;

/** Most patterns hold little but names and a star or two: those are regular expressions, which are far quicker. */
function quickPattern(segments: readonly string[]): RegExp | undefined {
  const all = segments.join('/');
  if (/[?[\]\\]/.test(all) || (all.match(/\*+/g) ?? []).length > MAX_QUICK_STARS) return undefined;
  const body = segments.map((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === '**' && !isLast) return '(?:[^/]*/)*';
    const literal = segment.replaceAll(/[.+^${}()|]/g, String.raw`\$&`).replaceAll(/\*+/g, '[^/]*');
    return isLast ? literal : `${literal}/`;
  });
  return new RegExp(`^${body.join('')}$`, 's');
}

/** As include's wildcards: `*` within a folder, `**` anything. */
export function includeMatcher(pattern: string): PathMatcher {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    if (pattern.startsWith('**', at)) {
      tokens.push('any');
      at += 1;
    } else if (pattern[at] === '*') tokens.push('some');
    else tokens.push({ literal: pattern[at] ?? '' });
  }
  return (path) => matchTokens(tokens, path);
}

export function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0 && open.length + done.length <= MAX_ALTERNATIVES) {
    const next = open.pop() ?? '';
    const parts = splitFirstBrace(next);
    if (!parts) done.push(next);
    else open.push(...parts.choices.map((choice) => parts.before + choice + parts.after).toReversed());
  }
  return done.length > 0 ? done : [pattern];
}

function splitFirstBrace(pattern: string): { before: string; choices: string[]; after: string } | undefined {
  const start = pattern.indexOf('{');
  if (start === -1) return undefined;
  let depth = 0;
  let from = start + 1;
  const choices: string[] = [];
  for (let at = start; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if ((character === ',' && depth === 1) || depth === 0) {
      choices.push(pattern.slice(from, at));
      from = at + 1;
    }
    if (depth === 0) return { before: pattern.slice(0, start), choices, after: pattern.slice(at + 1) };
  }
  return undefined;
}

/** Which suffixes of the path the rest of the pattern fits, from the last segment of the pattern backwards. */
function matchSegments(pattern: readonly string[], path: readonly string[]): boolean {
  let fits = Array.from({ length: path.length + 1 }, (_, at) => at === path.length);
  for (let index = pattern.length - 1; index >= 0; index -= 1) {
    const segment = pattern[index] ?? '';
    const spansFolders = segment === '**' && index < pattern.length - 1;
    const next = fits;
    fits = next.map(() => false);
    for (let at = path.length; at >= 0; at -= 1) {
      if (spansFolders) fits[at] = Boolean(next[at]) || Boolean(fits[at + 1]);
      else
        fits[at] =
          at < path.length && Boolean(next[at + 1]) && matchTokens(tokensOf(segment), path[at] ?? '');
    }
  }
  return fits[0] ?? false;
}

type Token = 'one' | 'some' | 'any' | { readonly literal: string } | { readonly set: RegExp };

const tokenCache = new Map<string, readonly Token[]>();

function tokensOf(segment: string): readonly Token[] {
  const known = tokenCache.get(segment);
  if (known) return known;
  const tokens: Token[] = [];
  for (let at = 0; at < segment.length;) {
    const { token, length } = tokenAt(segment, at);
    tokens.push(token);
    at += length;
  }
  if (tokenCache.size > 1000) tokenCache.clear();
  tokenCache.set(segment, tokens);
  return tokens;
}

const SET = /\[([!^]?)(\]?[^\]]*)\]/y;

function tokenAt(segment: string, at: number): { readonly token: Token; readonly length: number } {
  const character = segment[at] ?? '';
  if (character === '*') return { token: 'some', length: 1 };
  if (character === '?') return { token: 'one', length: 1 };
  const escaped = character === '\\' ? segment[at + 1] : undefined;
  if (escaped !== undefined) return { token: { literal: escaped }, length: 2 };
  SET.lastIndex = at;
  const set = SET.exec(segment);
  if (set) return { token: { set: setOf(set[1] ?? '', set[2] ?? '') }, length: set[0].length };
  return { token: { literal: character }, length: 1 };
}

function setOf(negation: string, members: string): RegExp {
  const body = members.replaceAll(/[\\\]^]/g, String.raw`\$&`);
  try {
    return new RegExp(`^[${negation && '^'}${body}]$`, 'u');
  } catch {
    return /^(?!)/;
  }
}

/** Follows all ways through the pattern at once: no text makes it slow. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let reached = skipStars(tokens, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const index of reached) {
      const token = tokens[index];
      if (token === undefined) continue;
      if (token === 'any' || (token === 'some' && character !== '/')) next.add(index);
      else if (matchesOne(token, character)) next.add(index + 1);
    }
    if (next.size === 0) return false;
    reached = skipStars(tokens, next);
  }
  return reached.has(tokens.length);
}

function skipStars(tokens: readonly Token[], reached: Set<number>): Set<number> {
  for (const index of reached) {
    if (tokens[index] === 'some' || tokens[index] === 'any') reached.add(index + 1);
  }
  return reached;
}

function matchesOne(token: Token, character: string): boolean {
  if (token === 'one') return character !== '/';
  if (typeof token === 'string') return false;
  return 'literal' in token ? token.literal === character : token.set.test(character);
}
