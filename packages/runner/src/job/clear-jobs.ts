import { readFileSync, rmSync } from 'node:fs';
import { unmount } from '@updraft/pods';

/**
 * Removes the folders that jobs of a dead process have left, for the start of a runner. Their mounts are still there
 * when that process had no mount namespace of its own, and nothing may be removed through them.
 */
export function clearJobFolders(jobsDir: string): void {
  for (const target of mountsBelow(jobsDir)) unmount(target);
  rmSync(jobsDir, { recursive: true, force: true });
}

/** The innermost first. */
function mountsBelow(folder: string): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const targets = lines.map((line) => unescaped(line.split(' ')[4] ?? ''));
  return targets.filter((target) => target.startsWith(`${folder}/`)).toReversed();
}

/** The kernel writes blanks and backslashes of a path by their number. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 8)));
