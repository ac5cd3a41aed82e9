import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { LocalImageStore } from '../store/store.ts';

/** What is wrong with a store: blobs that are not what their names say, names and folders that lead nowhere. */
export async function checkStore(store: LocalImageStore): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const algorithm of ['sha256', 'sha512']) {
    const folder = path.join(store.dir, 'blobs', algorithm);
    for (const name of await readdir(folder)) {
      const hash = createHash(algorithm);
      for await (const chunk of createReadStream(path.join(folder, name))) hash.update(chunk as Buffer);
      if (hash.digest('hex') !== name) wrong.push(`the blob ${algorithm}:${name} has other content`);
    }
  }
  for (const { shown, digest } of store.records.names()) {
    const image = await store.get(digest);
    if (!image) wrong.push(`the name ${shown} leads nowhere`);
    else await store.layerFolders(image.layers);
  }
  return wrong;
}
