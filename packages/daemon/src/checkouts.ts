import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { KeyedLock, runOrThrow } from '@updraft/kit';
import { checkout } from '@updraft/git';
import type { CheckoutSource } from '@updraft/runner';

/** Commits of one project whose files are kept ready. */
const KEPT = 8;

/** Checkouts below `dir`, one folder for each commit, made once and then only read. */
export function createCheckouts(dir: string): CheckoutSource {
  const lock = new KeyedLock();
  return {
    folder(commit, projectDir, open) {
      const project = path.join(dir, createHash('sha256').update(projectDir).digest('hex').slice(0, 16));
      const folder = path.join(project, open ? `${commit.sha}-open` : commit.sha);
      return lock.use(folder, async () => {
        if (await exists(folder)) return folder;
        const temporary = `${folder}.part`;
        await rm(temporary, { recursive: true, force: true });
        await mkdir(project, { recursive: true });
        await checkout(projectDir, commit.sha, temporary);
        if (open) await runOrThrow('chmod', ['-R', 'a+rwX', temporary]);
        await rename(temporary, folder);
        await removeOld(project);
        return folder;
      });
    },
  };
}

/** Keeps the newest; one that a job still uses as an overlay's lower layer is newer than any that is removed. */
async function removeOld(project: string): Promise<void> {
  const folders = (await readdir(project)).filter((name) => !name.endsWith('.part'));
  const aged = await Promise.all(
    folders.map(async (name) => ({ name, at: (await stat(path.join(project, name))).ctimeMs })),
  );
  const old = aged.toSorted((a, b) => b.at - a.at).slice(KEPT);
  for (const { name } of old) await rm(path.join(project, name), { recursive: true, force: true });
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
