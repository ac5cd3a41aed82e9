import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runOrThrow } from '@updraft/kit';

/** A repository over plain HTTP on loopback, with a branch `main`, a tag `v1` on its first commit, and these files. */
export interface GitServer {
  readonly url: string;
  readonly commits: readonly [string, string];
  close(): Promise<void>;
}

export async function serveRepository(files: Readonly<Record<string, string>>): Promise<GitServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'updraft-git-'));
  const work = path.join(folder, 'work');
  const git = (...args: string[]) =>
    runOrThrow('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  await git('init', '--quiet', '--initial-branch=main', work);
  await writeFile(path.join(work, 'first'), 'first');
  await git('-C', work, 'add', '.');
  await git('-C', work, 'commit', '--quiet', '--message=first');
  await git('-C', work, 'tag', '--annotate', '--message=v1', 'v1');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(work, name)), { recursive: true });
    await writeFile(path.join(work, name), text);
  }
  await git('-C', work, 'add', '.');
  await git('-C', work, 'commit', '--quiet', '--message=second');
  const log = (await git('-C', work, 'log', '--format=%H')).trim().split('\n');
  await git('clone', '--quiet', '--bare', work, path.join(folder, 'x.git'));
  await git('-C', path.join(folder, 'x.git'), 'update-server-info');
  const server = createServer((request, response) => {
    const file = path.join(folder, path.posix.resolve('/', request.url?.split('?')[0] ?? ''));
    createReadStream(file)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`,
    commits: [log[1] ?? '', log[0] ?? ''],
    async close() {
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}
