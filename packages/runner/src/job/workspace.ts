import { constants, existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import { mountOverlay, unmount } from '@updraft/pods';
import { discard } from './trash.ts';

/** A job's project folder: an overlay over the commit's checkout. What the job writes lands in a folder of its own. */
export interface Workspace {
  /** On the host; in pods it is mounted at the job's CI_PROJECT_DIR. Empty before `show`. */
  readonly dir: string;
  /** Beside the project folder, as GitLab has it (`<project>.tmp`): scripts and variables of type file. */
  readonly temporaryDir: string;
  /**
   * Puts the commit's files into the folder. @param checkout never written to; undefined: no files (`GIT_STRATEGY: none`).
   * @param only `git`: the repository without its files (`GIT_CHECKOUT: "false"`).
   */
  show(checkout: string | undefined, only?: 'git'): Promise<void>;
  /** What the job has changed, and its container's writes, go into this folder when the workspace is removed. */
  keep(folder: string): void;
  /** Goes on from what was kept there; before `show`. */
  resume(folder: string): Promise<void>;
  /** The folder is out of the way when it resolves, and emptied later. */
  remove(): Promise<void>;
}

/**
 * Makes an empty workspace below `dir`, which is then its own. @param name the project's folder below `dir`; several
 * parts are allowed.
 */
export async function makeWorkspace(dir: string, name: string): Promise<Workspace> {
  const merged = path.join(dir, name);
  const temporaryDir = `${merged}.tmp`;
  const upper = path.join(dir, '.changes');
  let mounted = false;
  let keepIn: string | undefined;
  /** By the names they have when they are kept. */
  const changes = { changes: upper, root: rootOf(temporaryDir) };
  await mkdir(merged, { recursive: true });
  await Promise.all([mkdir(temporaryDir), mkdir(upper)]);
  // Images whose user is not root write here as well; GitLab's runner opens the project folder in the same way.
  await Promise.all([merged, upper].map((folder) => chmod(folder, 0o777)));
  return {
    dir: merged,
    temporaryDir,
    async show(checkout, only) {
      if (checkout === undefined) return;
      if (only === 'git') return copyTree(path.join(checkout, '.git'), path.join(merged, '.git'));
      mounted = await overlayOrCopy(checkout, upper, merged);
    },
    keep: (folder) => void (keepIn = folder),
    async resume(folder) {
      for (const [name, place] of Object.entries(changes)) await move(path.join(folder, name), place);
    },
    async remove() {
      if (mounted) unmount(merged);
      if (keepIn !== undefined) {
        await rm(keepIn, { recursive: true, force: true });
        await mkdir(keepIn, { recursive: true, mode: 0o700 });
        for (const [name, place] of Object.entries(changes)) await move(place, path.join(keepIn, name));
      }
      await discard(dir);
    },
  };
}

/** Where the writes of a job's container land, outside of the project's folder. */
export const rootOf = (temporaryDir: string): string => path.join(path.dirname(temporaryDir), '.root');

/** Instead of what is there; nothing happens when there is nothing to move. */
async function move(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await rm(to, { recursive: true, force: true });
  await rename(from, to);
}

/**
 * Where overlays are not allowed (no root, or a file system that cannot hold one) the files are copied.
 * @returns something is mounted
 */
async function overlayOrCopy(checkout: string, upper: string, target: string): Promise<boolean> {
  try {
    await mountOverlay({ lower: [checkout], upper, target });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'OVERLAY_UNSUPPORTED') throw error;
    for (const entry of await readdir(checkout)) {
      await copyTree(path.join(checkout, entry), path.join(target, entry));
    }
    return false;
  }
}

const copyTree = (from: string, to: string): Promise<void> =>
  cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    mode: constants.COPYFILE_FICLONE,
  });
