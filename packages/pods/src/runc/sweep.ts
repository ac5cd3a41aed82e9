import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, removeTree, signalProcess } from '@updraft/kit';
import { childGroups, removeGroup } from './cgroups.ts';
import type { Machine } from './machine.ts';
import { unmountBelow } from '../mounts.ts';

/**
 * Ends and removes what an earlier process of this platform left: every process in its groups, runc's helpers and
 * state, mounts and folders. Pods that are alive belong to this process, or wait to be adopted, and are left alone; they
 * may come and go meanwhile.
 */
export async function sweepRemains(
  machine: Machine,
  podsFolder: string,
  isAlive: (pod: string) => boolean,
): Promise<{ removed: readonly string[] }> {
  const removed = new Set<string>();
  const isRemain = (id: string) => !isAlive(podOf(id));
  // First, so that nobody starts anything any more.
  await endHelpers(machine.state, isRemain);
  for (const group of await childGroups(machine.cgroups, machine.group)) {
    const id = path.basename(group);
    if (!isRemain(id)) continue;
    await removeGroup(machine.cgroups, group, machine.clock);
    removed.add(podOf(id));
  }
  for (const id of await readdir(machine.state).catch(() => [])) {
    if (isRemain(id)) await rm(path.join(machine.state, id), { recursive: true, force: true });
  }
  for (const pod of await readdir(podsFolder).catch(() => [])) {
    if (isAlive(pod)) continue;
    const folder = path.join(podsFolder, pod);
    await unmountBelow(folder);
    await removeTree(folder);
    removed.add(pod);
  }
  return { removed: [...removed].toSorted() };
}

/** Identifiers are `pod.container.serial`. */
function podOf(id: string): string {
  return id.split('.')[0] ?? id;
}

/** runc processes that wait for containers, and their shims, known by the state folder in their arguments. */
async function endHelpers(state: string, isRemain: (id: string) => boolean): Promise<void> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const args = ((await readTextIfPresent(`/proc/${pid}/cmdline`).catch(() => '')) ?? '').split('\0');
    if (args[args.indexOf('--root') + 1] !== state) continue;
    const id = args.findLast(Boolean) ?? '';
    if (isRemain(id)) signalProcess(Number(pid), 'SIGKILL');
  }
}
