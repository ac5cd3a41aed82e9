import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';

/** A job's project folder: an overlay over the commit's checkout. What the job writes lands in a folder of its own. */
export interface Workspace {
  /** On the host; in pods it is mounted at the job's CI_PROJECT_DIR. */
  readonly dir: string;
  /** Beside the project folder, as GitLab has it (`<project>.tmp`): scripts and variables of type file. */
  readonly temporaryDir: string;
  remove(): Promise<void>;
}

/**
 * Makes a workspace below `dir`. @param checkout the commit's files, never written to; undefined: an empty project
 * folder (`GIT_STRATEGY: none`).
 */
export async function makeWorkspace(dir: string, checkout: string | undefined): Promise<Workspace> {
  const upper = path.join(dir, 'changes');
  const work = path.join(dir, 'overlay');
  const merged = path.join(dir, 'project');
  const temporaryDir = path.join(dir, 'project.tmp');
  const empty = path.join(dir, 'empty');
  for (const folder of [upper, work, merged, temporaryDir, empty]) await mkdir(folder, { recursive: true });
  // Images whose user is not root write here as well; GitLab's runner opens the project folder in the same way.
  await chmod(upper, 0o777);
  const options = `lowerdir=${checkout ?? empty},upperdir=${upper},workdir=${work}`;
  await runOrThrow('mount', ['-t', 'overlay', 'updraft-workspace', '-o', options, merged]);
  return {
    dir: merged,
    temporaryDir,
    remove: async () => {
      await runOrThrow('umount', ['--lazy', merged]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
