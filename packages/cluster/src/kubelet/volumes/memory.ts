import { readFile } from 'node:fs/promises';
import { carryMount, unmount } from '@updraft/pods';

interface MountEntry {
  /** What of the file system is mounted. */
  readonly root: string;
  readonly target: string;
  readonly label: string;
}

/** Where something is mounted in this process's view. */
export async function mountPoints(): Promise<string[]> {
  return (await mountsSeenBy('self')).map(({ target }) => target);
}

/**
 * Brings a volume in memory that only containers hold any more, as one of its processes sees it, to `folder` here. A
 * container may have put other things where it was mounted: they are not taken for it.
 * @param label what the volume was mounted under: a container cannot give that to anything
 * @returns false when that process has no such volume
 * @throws PodsFault, and then nothing is mounted
 */
export async function fetchMemory(pid: number, label: string, folder: string): Promise<boolean> {
  const isIt = (mount: MountEntry) => mount.label === label && mount.root === '/';
  const there = (await mountsSeenBy(pid)).find(isIt);
  if (!there) return false;
  carryMount(pid, there.target, folder);
  const here = (await mountsSeenBy('self')).findLast(({ target }) => target === folder);
  if (here && isIt(here)) return true;
  unmount(folder);
  return false;
}

async function mountsSeenBy(pid: number | 'self'): Promise<MountEntry[]> {
  const lines = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => {
    const [mount = '', fileSystem = ''] = line.split(' - ', 2);
    const [, , , root = '', target = ''] = mount.split(' ').map(unescaped);
    return { root, target, label: unescaped(fileSystem.split(' ')[1] ?? '') };
  });
}

/** Blanks and the like are written as octal escapes. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_whole, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}
