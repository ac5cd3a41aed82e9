import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';

/** A repository of its own in a temporary folder, for tests. */
export interface Sandbox {
  readonly dir: string;
  git(...args: string[]): Promise<string>;
  write(file: string, content: string): Promise<void>;
  /** Writes files, commits everything, and gives the commit's id. */
  commit(message: string, files?: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
}

const IDENTITY = [
  '-c',
  'user.name=Ada Lovelace',
  '-c',
  'user.email=ada@example.org',
  '-c',
  'commit.gpgSign=false',
];

/** @param format of object names: `sha1` or `sha256` */
export async function createSandbox(name = 'address-book', format = 'sha1'): Promise<Sandbox> {
  const parent = await mkdtemp(path.join(tmpdir(), 'updraft-git-'));
  const dir = path.join(parent, name);
  await mkdir(dir);
  const git = (...args: string[]) => runOrThrow('git', [...IDENTITY, ...args], { cwd: dir });
  const write = async (file: string, content: string) => {
    await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
    await writeFile(path.join(dir, file), content);
  };
  await git('init', '--quiet', '--initial-branch=main', `--object-format=${format}`, '.');
  return {
    dir,
    git,
    write,
    async commit(message, files = {}) {
      for (const [file, content] of Object.entries(files)) await write(file, content);
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', message);
      return (await git('rev-parse', 'HEAD')).trim();
    },
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}

/** Every path below a folder with its times: to see that nothing was written. */
export async function snapshotOf(dir: string): Promise<unknown> {
  const entries = await readdir(dir, { recursive: true });
  return Promise.all(
    entries.toSorted().map(async (entry) => {
      const { mtimeMs, ctimeMs } = await lstat(path.join(dir, entry));
      return [entry, mtimeMs, ctimeMs];
    }),
  );
}
