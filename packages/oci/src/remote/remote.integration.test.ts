import { systemClock } from '@updraft/kit';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TEST_CREDENTIALS, randomImage, serveRegistry, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore, TestServer } from '../testing/index.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';

const OPTIONS = { insecure: true, credentials: TEST_CREDENTIALS };

describe('an image that came compressed', () => {
  let origin: TemporaryStore;
  let middle: TemporaryStore;
  let here: TemporaryStore;
  let server: TestServer;

  beforeEach(async () => {
    // What came in within the last hour would not be pruned.
    const clock = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 };
    [origin, middle, here] = [
      await temporaryStore(),
      await temporaryStore(),
      await temporaryStore({ clock }),
    ];
    server = await serveRegistry(middle.store);
  });
  afterEach(async () => {
    await server.close();
    for (const temporary of [origin, middle, here]) await temporary.remove();
  });

  test('can be run from, pushed on without change, built upon and pruned', async () => {
    const image = await randomImage(origin.store, { files: 50 });
    const name = `${server.host}/app:v1`;
    const pushed = await push(origin.store, image, name, OPTIONS);
    const pulled = await pull(here.store, name, OPTIONS);
    expect(pulled.digest).toBe(pushed.digest);
    expect(pulled.layers).toMatchObject(image.layers);
    const [top = ''] = await here.store.layerFolders(pulled.layers);
    expect(await readFile(path.join(top, 'layer1/file49'))).toHaveLength(100);

    const sent: string[] = [];
    const onProgress = ({ digest }: { digest: string }) => sent.push(digest);
    const again = await push(here.store, pulled, `${server.host}/app:v2`, { ...OPTIONS, onProgress });
    expect([again.digest, sent]).toEqual([pulled.digest, []]);

    const { layers: own } = await randomImage(here.store, { seed: 'own', layers: 1 });
    const built = await here.store.putImage({ os: 'linux', architecture: 'amd64' }, [
      ...pulled.layers,
      ...own,
    ]);
    expect(built.manifest.layers.slice(0, 2).map((layer) => layer.digest)).toEqual(
      pulled.manifest.layers.map((layer) => layer.digest),
    );
    await here.store.tag('built', built.digest);
    await here.store.untag(name);
    await here.store.prune();
    expect(await here.store.get('built')).toEqual(built);
    await here.store.layerFolders(built.layers);
    await here.store.untag('built');
    expect((await here.store.prune()).removedBytes).toBeGreaterThan(0);
    for (const folder of ['layers', 'blobs/sha256'])
      expect(await readdir(path.join(here.dir, folder))).toEqual([]);
  });

  test('with a layer that is not what the config says is refused, and the name stays free', async () => {
    const image = await randomImage(origin.store);
    const other = await randomImage(origin.store, { seed: 'other' });
    const [, second] = image.layers;
    const [wrong] = other.layers;
    if (!second || !wrong) throw new Error('no layers');
    // The manifest says one thing, the config another; every blob has the digest it was announced with.
    const lie = {
      ...image.manifest,
      layers: [await origin.store.compressed(wrong), await origin.store.compressed(second)],
    };
    const { digest } = await origin.store.blobs.write(Buffer.from(JSON.stringify(lie)));
    await origin.store.tag('x', digest);
    const server2 = await serveRegistry(origin.store);
    try {
      await origin.store.tag(`${server2.host}/lie:v1`, digest);
      const name = `${server2.host}/lie:v1`;
      await expect(pull(here.store, name, OPTIONS)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
      expect(here.store.resolve(name)).toBeUndefined();
    } finally {
      await server2.close();
    }
  });
});
