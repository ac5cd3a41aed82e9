import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PodsFault } from '../fault.ts';
import type { OciMount } from './bundle.ts';

/** Targets of the mounts that every container has. */
const STANDARD = ['/proc/', '/dev/', '/sys/', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

/**
 * Layers that hold nothing but empty mount targets. They lie below an image's own layers, so that a mount finds its
 * target and the container's upper directory gets nothing of ours. Containers with the same targets share one.
 */
export class TargetLayers {
  readonly #dir: string;
  readonly #made = new Map<string, Promise<string>>();

  /** `dir` is a folder of this object alone. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The layer for these mounts, and for a working directory that the image may lack. */
  async layerFor(mounts: readonly OciMount[], workingDir: string): Promise<string> {
    const own = await Promise.all(mounts.map(targetOf));
    const targets = [...new Set([...STANDARD, ...own, `${workingDir}/`])].toSorted();
    const key = createHash('sha256').update(targets.join('\0')).digest('hex').slice(0, 16);
    const known = this.#made.get(key);
    if (known) return known;
    const making = makeTargets(path.join(this.#dir, key), targets);
    this.#made.set(key, making);
    making.catch(() => this.#made.delete(key));
    return making;
  }
}

/** A folder's target ends with a slash, a file's does not. */
async function targetOf(mount: OciMount): Promise<string> {
  return mount.type === 'bind' && !(await isFolder(mount.source))
    ? mount.destination
    : `${mount.destination}/`;
}

async function isFolder(source: string): Promise<boolean> {
  try {
    return (await stat(source)).isDirectory();
  } catch (error) {
    throw new PodsFault('MOUNT_SOURCE_MISSING', `there is no ${source} to mount`, { cause: error });
  }
}

async function makeTargets(folder: string, targets: readonly string[]): Promise<string> {
  for (const target of targets) {
    const place = path.join(folder, target);
    await mkdir(target.endsWith('/') ? place : path.dirname(place), { recursive: true });
    if (!target.endsWith('/')) await writeFile(place, '', { flag: 'a' });
  }
  return folder;
}
