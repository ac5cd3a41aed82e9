import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

export async function createSandbox(name = 'address-book'): Promise<Sandbox> {
  const parent = await mkdtemp(path.join(tmpdir(), 'updraft-git-'));
  const dir = path.join(parent, name);
  await mkdir(dir);
  const git = (...args: string[]) => runOrThrow('git', [...IDENTITY, ...args], { cwd: dir });
  const write = async (file: string, content: string) => {
    await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
    await writeFile(path.join(dir, file), content);
  };
  await git('init', '--quiet', '--initial-branch=main', '.');
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
