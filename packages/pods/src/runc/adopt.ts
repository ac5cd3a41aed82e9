import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, removeTree } from '@updraft/kit';
import type { LinkRecord, PodLink } from '../network/pod-links.ts';
import type { PodSpec } from '../types.ts';
import { removeGroup } from './cgroups.ts';
import { findContainer } from './container.ts';
import type { FoundContainer } from './container.ts';
import type { Machine } from './machine.ts';
import { unmountBelow } from '../mounts.ts';
import { endShim } from './shim.ts';

/** What is kept of a lasting pod for a later process. */
interface PodRecord {
  readonly spec: PodSpec;
  readonly link: LinkRecord;
}

const recordFile = (folder: string) => path.join(folder, 'record.json');

export async function writePodRecord(folder: string, record: PodRecord): Promise<void> {
  await writeFile(recordFile(folder), JSON.stringify(record), { mode: 0o600 });
}

async function readPodRecord(folder: string): Promise<PodRecord | undefined> {
  try {
    const text = await readTextIfPresent(recordFile(folder));
    return text === undefined ? undefined : (JSON.parse(text) as PodRecord);
  } catch {
    // Half written when its process died: there was no container in it yet.
    return undefined;
  }
}

/** The names of pods that an earlier process has left to be adopted. */
export async function adoptablePods(podsFolder: string): Promise<string[]> {
  const names = await readdir(podsFolder).catch(() => []);
  const records = await Promise.all(names.map((name) => readPodRecord(path.join(podsFolder, name))));
  return names.filter((_name, index) => records[index] !== undefined);
}

export interface FoundPod {
  readonly spec: PodSpec;
  readonly link: PodLink;
  readonly intact: boolean;
  readonly containers: readonly FoundContainer[];
  readonly lastSerial: number;
}

/** Looks what there is of a lasting pod. Attempts to start a container that did not get far enough are cleared away. */
export async function findPod(machine: Machine, folder: string): Promise<FoundPod | undefined> {
  const record = await readPodRecord(folder);
  if (!record || !machine.network) return undefined;
  const attempts = await findAttempts(folder, record.spec.name);
  const containers: FoundContainer[] = [];
  for (const attempt of attempts) {
    const found = await findContainer(machine, attempt);
    if (found) containers.push(found);
    else await clearAway(machine, attempt);
  }
  const pid = containers.find((container) => container.pid !== undefined)?.pid;
  const link = await machine.network.reattach(record.link, pid);
  return {
    spec: record.spec,
    link: link ?? { ...record.link, address: undefined, namespace: '' },
    intact: link !== undefined,
    containers,
    lastSerial: Math.max(0, ...attempts.map(({ serial }) => serial)),
  };
}

interface FoundAttempt {
  readonly id: string;
  readonly folder: string;
  readonly serial: number;
}

/** Folders are `container.serial`. */
async function findAttempts(podFolder: string, pod: string): Promise<FoundAttempt[]> {
  const entries = await readdir(podFolder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const serial = /\.(\d+)$/.exec(entry.name)?.[1];
    if (serial === undefined || !entry.isDirectory()) return [];
    return [{ id: `${pod}.${entry.name}`, folder: path.join(podFolder, entry.name), serial: Number(serial) }];
  });
}

async function clearAway(machine: Machine, { id, folder }: FoundAttempt): Promise<void> {
  await endShim(folder, id);
  await removeGroup(machine.cgroups, path.join(machine.group, id), machine.clock);
  await rm(path.join(machine.state, id), { recursive: true, force: true });
  await unmountBelow(folder);
  await removeTree(folder);
}
