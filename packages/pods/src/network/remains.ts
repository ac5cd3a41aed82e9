import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, run } from '@updraft/kit';
import { unmount } from '../system-calls.ts';
import { parseCidr } from './cidr.ts';
import type { Cidr } from './cidr.ts';

/** What a dead process of this platform left of its network because pods live on in it. */
export interface LeftNetwork {
  readonly ranges: readonly [Cidr, Cidr];
  /** The pods' devices and their addresses. */
  readonly links: ReadonlyMap<string, string>;
}

const rangesFile = (dir: string) => path.join(dir, 'ranges');
const lastingFolder = (dir: string) => path.join(dir, 'lasting');

/** Written down, for a later process to find pods at the addresses they have. */
export async function keepRanges(dir: string, ranges: readonly [string, string]): Promise<void> {
  await writeFile(rangesFile(dir), ranges.join(' '));
}

export async function keepLink(dir: string, device: string, address: string): Promise<void> {
  await mkdir(lastingFolder(dir), { recursive: true });
  await writeFile(path.join(lastingFolder(dir), device), address);
}

export async function forgetLink(dir: string, device: string): Promise<void> {
  await rm(path.join(lastingFolder(dir), device), { force: true });
}

/**
 * Takes away what a dead process of this platform left: devices by their names, namespace files by their folder.
 * @returns what was spared since lasting pods may live in it
 */
export async function clearRemains(dir: string, id: string): Promise<LeftNetwork | undefined> {
  const bridge = `ud-${id}`;
  const devices = (await readdir('/sys/class/net')).filter((name) => name.startsWith(`ud${id}`));
  const left = existsSync(`/sys/class/net/${bridge}`) ? await findLeft(dir, devices) : undefined;
  const dead = devices.filter((device) => !left?.links.has(device));
  if (!left && existsSync(`/sys/class/net/${bridge}`)) dead.push(bridge);
  if (dead.length > 0) await deleteLinks(dead);
  const namespaces = path.join(dir, 'namespaces');
  for (const file of await readdir(namespaces).catch(() => [])) {
    if (left?.links.has(file)) continue;
    unmount(path.join(namespaces, file));
    await rm(path.join(namespaces, file), { force: true });
  }
  unmount(path.join(dir, 'host-namespace'));
  if (!left) await rm(dir, { recursive: true, force: true });
  return left;
}

async function findLeft(dir: string, devices: readonly string[]): Promise<LeftNetwork | undefined> {
  const [pods, services] = ((await readTextIfPresent(rangesFile(dir))) ?? '').split(' ').map(parseCidr);
  const links = new Map<string, string>();
  for (const device of devices) {
    const address = await readTextIfPresent(path.join(lastingFolder(dir), device));
    if (address) links.set(device, address);
  }
  return pods && services && links.size > 0 ? { ranges: [pods, services], links } : undefined;
}

/** Deletes network devices by name; those that are gone already are no error. */
export async function deleteLinks(devices: readonly string[]): Promise<void> {
  const input = devices.map((device) => `link del ${device}\n`).join('');
  await run('ip', ['-force', '-batch', '-'], { input });
}
