import { createHash } from 'node:crypto';
import { copyFile, open } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@updraft/kit';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { removeFolder } from '../files/merged-root.ts';
import { placeFile, unpackArchive } from './place.ts';
import type { Remote } from './remote.ts';

/** What a URL without a file name becomes. */
const UNNAMED = '__unnamed__';

export interface DownloadOptions {
  readonly checksum: string | undefined;
  /** An archive is unpacked. */
  readonly unpack: boolean;
}

/** Gets the file, unless its checksum is known: then only when the step is not in the cache. */
export async function openDownload(build: Build, url: string, options: DownloadOptions): Promise<Remote> {
  const { checksum, unpack } = options;
  const folder = await build.workshop.store.scratch('download');
  const file = path.join(folder, 'file');
  const name = fileName(url);
  const close = () => removeFolder(folder);
  try {
    const fetched = checksum === undefined ? await download(build, url, file, 'sha256') : undefined;
    return {
      digest: `${name}|${fetched ?? checksum ?? ''}`,
      async place(target) {
        if (checksum !== undefined) await verified(build, { url, file, checksum });
        if (unpack && (await unpackArchive(file, target, build))) return;
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

function fileName(url: string): string {
  try {
    const name = path.posix.basename(decodeURIComponent(new URL(url).pathname));
    return name === '' || name === '..' ? UNNAMED : name;
  } catch {
    return UNNAMED;
  }
}

async function verified(
  build: Build,
  wanted: { url: string; file: string; checksum: string },
): Promise<void> {
  const algorithm = wanted.checksum.slice(0, wanted.checksum.indexOf(':'));
  const digest = await download(build, wanted.url, wanted.file, algorithm);
  if (digest === wanted.checksum) return;
  throw new BuildFailure(`${wanted.url} is ${digest}, not ${wanted.checksum}`);
}

async function download(build: Build, url: string, file: string, algorithm: string): Promise<string> {
  const get = build.workshop.fetch ?? fetch;
  const response = await get(url, { signal: build.signal }).catch((error: unknown) => {
    build.signal.throwIfAborted();
    throw new BuildFailure(`${url} cannot be downloaded: ${messageOf(error)}`);
  });
  if (!response.ok || !response.body)
    throw new BuildFailure(`${url} cannot be downloaded: status ${response.status}`);
  const hash = createHash(algorithm);
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
  } finally {
    await handle.close();
  }
  return `${algorithm}:${hash.digest('hex')}`;
}
