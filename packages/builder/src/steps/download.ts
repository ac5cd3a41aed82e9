import { createHash } from 'node:crypto';
import { copyFile, open } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@updraft/kit';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { removeFolder } from '../files/merged-root.ts';
import { placeFile, unpackArchive } from './place.ts';
import type { Target } from './place.ts';

/** A file of `ADD https://…`. */
export interface Download {
  readonly name: string;
  readonly digest: string;
  place(target: Target, unpack: boolean, folder: string): Promise<void>;
  close(): Promise<void>;
}

export function isRemote(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/**
 * Gets the file, unless its checksum is known: then only when the step is not in the cache.
 * @throws BuildFailure when it cannot be got or is not the one that was asked for
 */
export async function openRemote(build: Build, url: string, checksum: string | undefined): Promise<Download> {
  const folder = await build.workshop.store.scratch('download');
  const file = path.join(folder, 'file');
  const name = path.posix.basename(new URL(url).pathname);
  const close = () => removeFolder(folder);
  try {
    const fetched = checksum === undefined ? await download(build, url, file) : undefined;
    return {
      name,
      digest: fetched ?? checksum ?? '',
      async place(target, unpack, scratch) {
        if (fetched === undefined) await verified(build, { url, file, checksum });
        if (unpack && (await unpackArchive(file, target, { build, folder: scratch }))) return;
        if (name === '' && target.isFolder)
          throw new BuildFailure(`${url} has no file name; the target must not end with /`);
        await placeFile(target, name, async (to) => {
          await copyFile(file, to);
          return 0o600;
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function verified(
  build: Build,
  wanted: { url: string; file: string; checksum: string | undefined },
): Promise<void> {
  const digest = await download(build, wanted.url, wanted.file);
  if (digest === wanted.checksum) return;
  throw new BuildFailure(`${wanted.url} is ${digest}, not ${wanted.checksum ?? ''}`);
}

async function download(build: Build, url: string, file: string): Promise<string> {
  const get = build.workshop.fetch ?? fetch;
  const response = await get(url, { signal: build.signal }).catch((error: unknown) => {
    build.signal.throwIfAborted();
    throw new BuildFailure(`${url} cannot be downloaded: ${messageOf(error)}`);
  });
  if (!response.ok || !response.body)
    throw new BuildFailure(`${url} cannot be downloaded: status ${response.status}`);
  const hash = createHash('sha256');
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
  } finally {
    await handle.close();
  }
  return `sha256:${hash.digest('hex')}`;
}
