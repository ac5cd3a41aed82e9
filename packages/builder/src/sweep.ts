import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { unmount } from '@updraft/pods';

/** Takes away what a killed process left mounted in the store's scratch folders, and what it knew to be temporary. */
export async function sweepBuilder(storeDir: string, dir: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const targets = table
    .split('\n')
    .map((line) => unescape(line.split(' ')[4] ?? ''))
    .filter(
      (target) => target.startsWith(`${path.resolve(storeDir)}/`) && /\/build[^/]*\/.*root$/.test(target),
    );
  for (const target of targets.toReversed()) unmount(target);
  await rm(path.join(dir, 'empty-context'), { recursive: true, force: true });
}

/** The kernel writes blanks and backslashes as octal numbers. */
function unescape(target: string): string {
  return target.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
