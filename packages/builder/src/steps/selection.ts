import { cleanPath, compileIgnore, isGlob } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import { EVERYTHING } from '../files/source-tree.ts';
import type { Selection } from '../files/source-tree.ts';

/** What `--exclude` leaves of a folder and, with `include` (a pattern that may hold `**`), what of it is meant at all. */
export function selectionOf(include: string | undefined, exclude: readonly string[]): Selection {
  if (include === undefined && exclude.length === 0) return EVERYTHING;
  const excluded = compileIgnore(exclude.join('\n'));
  const [wrong] = excluded.problems;
  if (wrong) throw new BuildFailure(`--exclude: ${wrong.message}`);
  const wanted = include === undefined ? undefined : inclusion(include);
  return {
    takes: (relative) => !excluded(relative) && (wanted?.takes(relative) ?? true),
    mayTakeBelow: (relative) => {
      if (excluded(relative) && !excluded.hasExceptions) return false;
      return wanted?.mayTakeBelow(relative) ?? excluded.hasExceptions;
    },
  };
}

/** A folder that matches brings all that is below it. */
function inclusion(pattern: string): Selection {
  const clean = cleanPath(pattern);
  if (clean === '.') return EVERYTHING;
  const matches = compileIgnore(clean.startsWith('!') || clean.startsWith('#') ? `\\${clean}` : clean);
  if (matches.problems.length > 0) throw new BuildFailure(`${pattern} is no valid pattern`);
  const parts = clean.split('/');
  const wild = parts.findIndex(isGlob);
  // Only folders on the way to what the pattern names without wildcards need to be looked into.
  const fixed = wild < 0 ? parts : parts.slice(0, wild);
  return {
    takes: (relative) => matches(relative),
    mayTakeBelow: (relative) => {
      const folders = relative.split('/');
      return fixed.every((part, index) => folders[index] === undefined || folders[index] === part);
    },
  };
}
