import { matchesWhole, pathTokens } from './glob.ts';
import type { GlobToken } from './glob.ts';

/** A compiled `.dockerignore`. */
export interface Ignore {
  /** Is this path (relative, `/` between parts) left out of the context? */
  (path: string): boolean;
  /** False when nothing below an ignored folder can come back, so that it need not be looked into. */
  readonly hasExceptions: boolean;
  /** Lines that are no pattern; they are ignored. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

interface Pattern {
  readonly exception: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * Compiles ignore patterns with moby's meaning: each is anchored at the root, a match of a folder holds for all below
 * it, `!` brings back, and the last pattern that matches decides.
 */
export function compileIgnore(text: string): Ignore {
  const patterns: Pattern[] = [];
  const problems: { line: number; message: string }[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const pattern = readPattern(line);
    if (pattern === 'invalid')
      problems.push({ line: index + 1, message: `${line.trim()} is no valid pattern` });
    else if (pattern) patterns.push(pattern);
  }
  const ignores = (path: string) => isIgnored(patterns, cleanPath(path));
  return Object.assign(ignores, { hasExceptions: patterns.some(({ exception }) => exception), problems });
}

function readPattern(line: string): Pattern | 'invalid' | undefined {
  if (line.startsWith('#')) return undefined;
  const trimmed = line.trim();
  if (trimmed === '') return undefined;
  const exception = trimmed.startsWith('!');
  const written = exception ? trimmed.slice(1).trim() : trimmed;
  if (written === '') return 'invalid';
  const tokens = pathTokens(Array.from(cleanPath(written)), { folders: true });
  return tokens ? { exception, matches: compile(tokens) } : 'invalid';
}

/** Most patterns have no wildcard in them: those are compared as text. */
function compile(tokens: readonly GlobToken[]): (path: string) => boolean {
  const letters = tokens.map((token) => (token.kind === 'one' ? token.literal : undefined));
  if (letters.some((letter) => letter === undefined)) return (path) => matchesWhole(tokens, path);
  const literal = letters.join('');
  return (path) => path === literal;
}

function isIgnored(patterns: readonly Pattern[], path: string): boolean {
  let ignored = false;
  for (const pattern of patterns) {
    // An exception matters only to what is ignored, any other pattern only to what isn't.
    if (pattern.exception === ignored && matchesOrParent(pattern, path)) ignored = !ignored;
  }
  return ignored;
}

function matchesOrParent(pattern: Pattern, path: string): boolean {
  if (pattern.matches(path)) return true;
  for (let at = path.indexOf('/', 1); at >= 0; at = path.indexOf('/', at + 1)) {
    if (pattern.matches(path.slice(0, at))) return true;
  }
  return false;
}

/** Without `.`, `..`, doubled and outer slashes, as Go's path.Clean leaves it. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !path.startsWith('/')) parts.push(part);
  }
  return parts.join('/') || '.';
}
