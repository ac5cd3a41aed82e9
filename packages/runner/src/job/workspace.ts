import { constants } from 'node:fs';
import { chmod, cp, mkdir, readdir } from 'node:fs/promises';
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
    async remove() {
      if (mounted) unmount(merged);
      await discard(dir);
    },
  };
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
