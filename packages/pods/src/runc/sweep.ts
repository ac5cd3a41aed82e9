import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, signalProcess } from '@updraft/kit';
import { unmount } from '../system-calls.ts';
import { childGroups, removeGroup } from './cgroups.ts';
import type { Machine } from './machine.ts';

/**
 * Ends and removes what an earlier process of this platform left: every process in its groups, runc's helpers and
 * state, mounts and folders. Pods whose name is in `alive` belong to this process and are left alone.
 */
export async function sweepRemains(
  machine: Machine,
  podsFolder: string,
  alive: ReadonlySet<string>,
): Promise<{ removed: readonly string[] }> {
  const removed = new Set<string>();
  const isRemain = (id: string) => !alive.has(podOf(id));
  for (const group of await childGroups(machine.cgroups, machine.group)) {
    const id = path.basename(group);
    if (!isRemain(id)) continue;
    await removeGroup(machine.cgroups, group, machine.clock);
    removed.add(podOf(id));
  }
  await endHelpers(machine.state, isRemain);
  for (const id of await readdir(machine.state).catch(() => [])) {
    if (isRemain(id)) await rm(path.join(machine.state, id), { recursive: true, force: true });
  }
  for (const pod of await readdir(podsFolder).catch(() => [])) {
    if (alive.has(pod)) continue;
    const folder = path.join(podsFolder, pod);
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true });
    removed.add(pod);
  }
  if (alive.size === 0) await removeGroup(machine.cgroups, machine.group, machine.clock);
  return { removed: [...removed].toSorted() };
}

/** Identifiers are `pod.container.serial`. */
function podOf(id: string): string {
  return id.split('.')[0] ?? id;
}

/** runc processes that waited for the containers that were killed, known by the state folder in their arguments. */
async function endHelpers(state: string, isRemain: (id: string) => boolean): Promise<void> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const args = ((await readTextIfPresent(`/proc/${pid}/cmdline`).catch(() => '')) ?? '').split('\0');
    if (args[1] !== '--root' || args[2] !== state) continue;
    const id = args.findLast(Boolean) ?? '';
    if (isRemain(id)) signalProcess(Number(pid), 'SIGKILL');
  }
}

/** Takes away every mount below a folder, the innermost first. */
export async function unmountBelow(folder: string): Promise<void> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  const targets = text
    .split('\n')
    .map((line) => decodeOctal(line.split(' ')[4] ?? ''))
    .filter((target) => target === folder || target.startsWith(`${folder}/`));
  for (const target of targets.toReversed()) unmount(target);
}

/** mountinfo writes blanks, tabs, line ends and backslashes of paths as `\ooo`. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
