import { readFile, readdir, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, readTextIfPresent, signalProcess } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import type { ContainerStats } from '../types.ts';

/** The host's control groups: one hierarchy (version 2), or one for each controller (version 1). */
export interface Cgroups {
  readonly version: 1 | 2;
  /** Where each controller's hierarchy is mounted; version 2 has the one entry ''. */
  readonly mounts: ReadonlyMap<string, string>;
}

/** @throws PodsFault CGROUPS_UNUSABLE */
export async function findCgroups(): Promise<Cgroups> {
  const found = cgroupsOf(await readFile('/proc/self/mountinfo', 'utf8'));
  if (found) return found;
  throw new PodsFault('CGROUPS_UNUSABLE', 'no control groups are mounted under /sys/fs/cgroup', {
    next: 'Start this on a host with systemd, or mount cgroup2 on /sys/fs/cgroup.',
  });
}

/** The hierarchies in the text of /proc/self/mountinfo; undefined when there are none that can be used. */
export function cgroupsOf(mountInfo: string): Cgroups | undefined {
  const mounts = new Map<string, string>();
  for (const line of mountInfo.split('\n')) {
    const found = /^(?:\S+ ){4}(\S+) .* - (cgroup2?) \S+ (\S+)$/.exec(line);
    const [, target = '', type, options = ''] = found ?? [];
    if (type === 'cgroup2' && target === '/sys/fs/cgroup')
      return { version: 2, mounts: new Map([['', target]]) };
    // Beside version 1, version 2 is mounted for systemd alone; runc makes its groups there too.
    if (type === 'cgroup2') mounts.set('unified', target);
    if (type === 'cgroup') for (const name of options.split(',')) mounts.set(name, target);
  }
  return mounts.has('memory') || mounts.has('pids') ? { version: 1, mounts } : undefined;
}

const LIMITING = ['memory', 'cpu', 'pids'] as const;

/** The controllers of resource limits that this host has; a limit of another one cannot be had. */
export async function limitingControllers(cgroups: Cgroups): Promise<ReadonlySet<string>> {
  const listed =
    cgroups.version === 2
      ? (
          (await readTextIfPresent(path.join(controller(cgroups, '', '/'), 'cgroup.controllers'))) ?? ''
        ).split(/\s+/)
      : [...cgroups.mounts.keys()];
  return new Set(LIMITING.filter((name) => listed.includes(name)));
}

/** The folders of a group, one for each hierarchy, without doubles. */
function folders(cgroups: Cgroups, group: string): string[] {
  return [...new Set(cgroups.mounts.values())].map((mount) => path.join(mount, group));
}

function controller(cgroups: Cgroups, name: string, group: string): string {
  return path.join(cgroups.mounts.get(cgroups.version === 2 ? '' : name) ?? '/nonexistent', group);
}

/** Did the kernel kill a process of this group because its memory limit was reached? */
export async function ranOutOfMemory(cgroups: Cgroups, group: string): Promise<boolean> {
  const file = cgroups.version === 2 ? 'memory.events' : 'memory.oom_control';
  const text = await readTextIfPresent(path.join(controller(cgroups, 'memory', group), file));
  return /^oom_kill [1-9]/m.test(text ?? '');
}

/** Memory is told as 0 where the host has no controller for it. @throws PodsFault GONE when the group does not exist. */
export async function readStats(cgroups: Cgroups, group: string): Promise<ContainerStats> {
  try {
    return { cpuNanoseconds: await cpuTime(cgroups, group), memoryBytes: await memoryInUse(cgroups, group) };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENODEV') throw error;
    throw new PodsFault('GONE', 'the container has ended', { cause: error });
  }
}

/** Pages of files nobody used lately are given back on demand: they are not the container's need. */
async function memoryInUse(cgroups: Cgroups, group: string): Promise<number> {
  const folder = controller(cgroups, 'memory', group);
  const file = cgroups.version === 2 ? 'memory.current' : 'memory.usage_in_bytes';
  const used = Number((await readTextIfPresent(path.join(folder, file))) ?? 0);
  const details = (await readTextIfPresent(path.join(folder, 'memory.stat'))) ?? '';
  return Math.max(0, used - Number(/^(?:total_)?inactive_file (\d+)/m.exec(details)?.[1] ?? 0));
}

async function cpuTime(cgroups: Cgroups, group: string): Promise<bigint> {
  if (cgroups.version === 1) {
    return BigInt(
      (await readFile(path.join(controller(cgroups, 'cpuacct', group), 'cpuacct.usage'), 'utf8')).trim(),
    );
  }
  const text = await readFile(path.join(controller(cgroups, '', group), 'cpu.stat'), 'utf8');
  return BigInt(/^usage_usec (\d+)/m.exec(text)?.[1] ?? 0) * 1000n;
}

/** Groups directly below `group`. */
export async function childGroups(cgroups: Cgroups, group: string): Promise<string[]> {
  const names = new Set<string>();
  for (const folder of folders(cgroups, group)) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) names.add(path.join(group, entry.name));
    }
  }
  return [...names];
}

const ATTEMPTS = 100;

const isGone = (result: PromiseSettledResult<void>) =>
  result.status === 'fulfilled' || codeOf(result.reason) === 'ENOENT';

/**
 * Kills every process in the group and the groups below, waits until they are gone and removes the groups.
 * A group that does not exist is no error.
 * @throws PodsFault CGROUPS_UNUSABLE when processes survive SIGKILL (stuck in the kernel).
 */
export async function removeGroup(cgroups: Cgroups, group: string, clock: Clock): Promise<void> {
  const removals = folders(cgroups, group).map((folder) => rmdir(folder));
  const results = await Promise.allSettled(removals);
  if (results.every(isGone)) return;
  for (const child of await childGroups(cgroups, group)) await removeGroup(cgroups, child, clock);
  for (const folder of folders(cgroups, group)) await removeFolder(folder, clock);
}

async function removeFolder(folder: string, clock: Clock): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY') throw error;
    }
    const left = (await readTextIfPresent(path.join(folder, 'cgroup.procs'))) ?? '';
    for (const pid of left.split('\n').filter(Boolean)) signalProcess(Number(pid), 'SIGKILL');
    await clock.sleep(Math.min(50, 1 + attempt));
  }
  throw new PodsFault('CGROUPS_UNUSABLE', `processes in ${folder} do not end`, {
    next: 'They are stuck in the kernel; restarting the machine is the only way out.',
  });
}

/** Limiting swap makes sense, and is possible, only where there is some. */
export async function swapLimitable(cgroups: Cgroups): Promise<boolean> {
  const swaps = (await readTextIfPresent('/proc/swaps')) ?? '';
  if (swaps.trim().split('\n').length < 2) return false;
  if (cgroups.version === 2) return true;
  const file = path.join(controller(cgroups, 'memory', '/'), 'memory.memsw.limit_in_bytes');
  return stat(file).then(
    () => true,
    () => false,
  );
}
