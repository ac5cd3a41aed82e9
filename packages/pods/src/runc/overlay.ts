import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import { mountFileSystem, unmount } from '../system-calls.ts';

export interface OverlayOptions {
  /** Top first; at least one. */
  readonly lower: readonly string[];
  /** Where writes land. */
  readonly upper: string;
  readonly target: string;
}

/** A mounted overlay; `remove` leaves `upper` and its content alone. */
export interface Overlay {
  readonly target: string;
  remove(): Promise<void>;
}

/**
 * What makes an upper directory a layer that any other kernel and store understands (no indexes, no redirects), and
 * taking the mount away free of waiting for the disk (`volatile`): after a crash of the machine its content is suspect.
 */
const FLAGS = 'volatile,index=off,metacopy=off,redirect_dir=off';

/**
 * Mounts an overlay. The kernel reads folders from one page of options, so they are named by open descriptors:
 * short whatever their paths are, and free of characters that would need escaping.
 * @throws PodsFault OVERLAY_UNSUPPORTED
 */
export async function mountOverlay(options: OverlayOptions): Promise<Overlay> {
  const { lower, upper, target } = options;
  const work = workFolder(upper);
  await rm(work, { recursive: true, force: true });
  await Promise.all([upper, work, target].map((folder) => mkdir(folder, { recursive: true })));
  mountByDescriptors(lower, [upper, work], target);
  return {
    target,
    async remove() {
      unmount(target);
      await rm(work, { recursive: true, force: true });
    },
  };
}

/** Overlayfs needs a folder of its own on the file system of `upper`. */
export function workFolder(upper: string): string {
  return path.join(path.dirname(upper), `.${path.basename(upper)}.work`);
}

function mountByDescriptors(
  lower: readonly string[],
  writable: readonly [string, string],
  target: string,
): void {
  const open: number[] = [];
  const name = (folder: string) => {
    const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    open.push(descriptor);
    return `/proc/self/fd/${descriptor}`;
  };
  try {
    // The kernel refuses a folder that is there twice. What the lower one does, the upper one does again.
    const layers = [...new Set(lower)].map(name).join(':');
    const [upper, work] = [name(writable[0]), name(writable[1])];
    mountFileSystem('overlay', target, `lowerdir=${layers},upperdir=${upper},workdir=${work},${FLAGS}`);
  } catch (error) {
    throw overlayFault(error, writable[0]);
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

function overlayFault(error: unknown, upper: string): unknown {
  if (!(error instanceof PodsFault)) return error;
  const reason = codeOf(error.cause) ?? 'unknown';
  const hints: Readonly<Record<string, string>> = {
    EPERM: 'Overlay mounts are not allowed here: a container needs to be privileged for it.',
    ENODEV: 'This kernel has no overlayfs: load its module with `modprobe overlay`.',
    EINVAL: `The file system of ${upper} cannot hold an overlay's upper directory (another overlay, or a network disk): set UPDRAFT_HOME to a folder on ext4, xfs, btrfs or tmpfs.`,
  };
  const next = hints[reason];
  return new PodsFault('OVERLAY_UNSUPPORTED', `cannot mount an overlay file system: ${reason}`, {
    cause: error,
    ...(next ? { next } : {}),
  });
}
