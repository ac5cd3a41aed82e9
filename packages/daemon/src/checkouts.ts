import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { KeyedLock, exists, readTextIfPresent, runOrThrow, systemClock, writeFileAtomic } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { applyWorkTree, checkout, checkoutWish } from '@updraft/git';
import type { CheckoutExtras, CheckoutSource } from '@updraft/runner';

/** Checkouts of one project that are kept ready. */
const KEPT = 12;
/**
 * No job runs for longer. While one does, its folder is an overlay's lower layer, and nothing of the mount tells which:
 * it was mounted by descriptor.
 */
const IN_USE_MS = 6 * 3_600_000;
const NOTES = '.notes.json';

/** What one checkout is made of. */
interface Wanted {
  readonly sha: string;
  readonly projectDir: string;
  readonly open: boolean;
  readonly extras: CheckoutExtras;
}

/**
 * Checkouts below `dir`, one folder for each commit, state of the work tree and way to check out, made once and then
 * only read. The clock tells which of them were just given away.
 */
export function createCheckouts(dir: string, clock: Clock = systemClock): CheckoutSource {
  const shelf = createShelf(clock);
  return {
    async folder(commit, projectDir, open, extras = {}) {
      const project = path.join(dir, createHash('sha256').update(projectDir).digest('hex').slice(0, 16));
      await mkdir(project, { recursive: true });
      const { folder, notes } = await assemble(shelf, project, { sha: commit.sha, projectDir, open, extras });
      for (const note of notes) extras.onNote?.(note);
      return folder;
    },
  };
}

interface Assembled {
  readonly folder: string;
  readonly notes: readonly string[];
}

/** The commit; a copy of it with the work tree's changes; a copy of that for every user. */
async function assemble(shelf: Shelf, project: string, wanted: Wanted): Promise<Assembled> {
  const { projectDir, sha, open, extras } = wanted;
  const wish = checkoutWish(extras.variables ?? {});
  const options = JSON.stringify(wish.options);
  const way = options === '{}' ? '' : `-${createHash('sha256').update(options).digest('hex').slice(0, 8)}`;
  const clean = path.join(project, sha + way);
  const changes = extras.workTree;
  const changed = changes ? `${clean}-${changes.key.slice(0, 24)}` : clean;
  const folder = open ? `${changed}-open` : changed;
  const makeClean = () =>
    shelf.ensure(clean, async (target) => {
      const { notes } = await checkout(projectDir, sha, target, wish.options);
      await writeFileAtomic(clean + NOTES, JSON.stringify(notes));
    });
  const makeChanged = () =>
    shelf.ensure(changed, async (target) => {
      // Linked: what differs is written anew, never into the file that is there.
      await copyOf(await makeClean(), target, '--link');
      await applyWorkTree(projectDir, changes?.paths ?? [], target);
    });
  const makeOpen = () =>
    shelf.ensure(folder, async (target) => {
      await copyOf(await (changes ? makeChanged() : makeClean()), target, '--reflink=auto');
      await openToAll(target);
    });
  if (open) await makeOpen();
  else await (changes ? makeChanged() : makeClean());
  await shelf.removeOld(project);
  const found = JSON.parse((await readTextIfPresent(clean + NOTES)) ?? '[]') as readonly string[];
  return { folder, notes: [...wish.notes, ...found] };
}

interface Shelf {
  /** The folder, made when it is not there; half-made ones are never seen. Safe to call at the same time. */
  ensure(folder: string, make: (target: string) => Promise<void>): Promise<string>;
  /** Keeps the newest, and those that a job may still have. */
  removeOld(project: string): Promise<void>;
}

function createShelf(clock: Clock): Shelf {
  const lock = new KeyedLock();
  return {
    ensure: (folder, make) =>
      lock.use(folder, async () => {
        if (!(await exists(folder))) {
          const temporary = `${folder}.part`;
          await rm(temporary, { recursive: true, force: true });
          await make(temporary);
          await rename(temporary, folder);
        }
        const now = new Date(clock.now());
        await utimes(folder, now, now);
        return folder;
      }),
    removeOld: (project) =>
      lock.use(project, async () => {
        const names = (await readdir(project)).filter((name) => !/\.(?:part|json|tmp)$/.test(name));
        const folders = await Promise.all(
          names.map(async (name) => ({ name, at: (await stat(path.join(project, name))).mtimeMs })),
        );
        const old = folders
          .toSorted((a, b) => b.at - a.at)
          .slice(KEPT)
          .filter(({ at }) => clock.now() - at > IN_USE_MS);
        for (const { name } of old) {
          await rm(path.join(project, name), { recursive: true, force: true });
          await rm(path.join(project, name + NOTES), { force: true });
        }
      }),
  };
}

async function copyOf(from: string, to: string, how: '--link' | '--reflink=auto'): Promise<void> {
  await mkdir(to, { recursive: true });
  await runOrThrow('cp', ['-a', how, `${from}/.`, to]);
}

const openToAll = (folder: string): Promise<string> => runOrThrow('chmod', ['-R', 'a+rwX', folder]);
