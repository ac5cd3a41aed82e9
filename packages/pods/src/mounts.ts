import { readFile } from 'node:fs/promises';
import { unmount } from './system-calls.ts';

/** Takes away every mount below a folder, the innermost first. */
export async function unmountBelow(folder: string): Promise<void> {
  const targets = (await mountTargets()).filter(
    (target) => target === folder || target.startsWith(`${folder}/`),
  );
  for (const target of targets.toReversed()) unmount(target);
}

/** Everything that is mounted in this process's view, in order. */
export async function mountTargets(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text.split('\n').map((line) => decodeOctal(line.split(' ')[4] ?? ''));
}

/** mountinfo writes blanks, tabs, line ends and backslashes of paths as `\ooo`. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
