import { RE2JS } from 're2js';

const MAX_KEPT = 500;
const compiled = new Map<string, RE2JS>();

/** The pattern as Go reads it, whose matching takes no longer than the text is long. @throws when it is none */
export function compilePattern(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known) return known;
  const made = RE2JS.compile(pattern);
  if (compiled.size >= MAX_KEPT) compiled.clear();
  compiled.set(pattern, made);
  return made;
}

export function matchesPattern(pattern: string, text: string): boolean {
  return compilePattern(pattern).matcher(text).find();
}
