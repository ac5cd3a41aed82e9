import { runOrThrow, silentLogger, start, systemClock } from '@updraft/kit';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { pull } from '../remote/pull.ts';
import { TEST_CREDENTIALS, randomImage, serveRegistry, temporaryStore } from '../testing/index.ts';
import { checkStore } from '../testing/check-store.ts';
import { openImageStore } from './store.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-crash-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const KILLS = 8;

/** Writes, commits, names, unpacks, compresses and prunes for ever, each round something new. */
const WRITER = `
import { openImageStore } from ${JSON.stringify(path.join(import.meta.dirname, 'store.ts'))};
import { randomImage } from ${JSON.stringify(path.join(import.meta.dirname, '../testing/random-image.ts'))};
import { silentLogger, systemClock } from ${JSON.stringify(createRequire(import.meta.url).resolve('@updraft/kit'))};
import { writeFile } from 'node:fs/promises';
const [dir, seed] = process.argv.slice(2);
const clock = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 };
const store = await openImageStore(dir, { clock, logger: silentLogger });
console.log('ready');
for (let round = 0; ; round += 1) {
  const image = await randomImage(store, { seed: seed + round, files: 20, fileBytes: 20_000 });
  const upper = await store.scratch('upper');
  await writeFile(upper + '/file', seed + round);
  const layer = await store.commitLayer(upper, { timestampMs: 0 });
  const built = await store.putImage({ os: 'linux', architecture: 'amd64' }, [...image.layers, layer]);
  await store.tag('image:' + (round % 5), built.digest);
  await store.layerFolders(built.layers);
  await store.compressed(built.layers[0]);
  if (round % 3 === 2) await store.prune();
  console.log('round', round);
}
`;

test(`killed ${KILLS} times at any point, the store holds nothing wrong and goes on`, async () => {
  const script = path.join(dir, 'writer.mts');
  const home = path.join(dir, 'store');
  await writeFile(script, WRITER);
  let rounds = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const node = ['--import', 'tsx', script, home, `s${kill}-`];
    const child = await start(process.execPath, node, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // Every second one has done something whole before.
    while (!said.includes(kill % 2 === 0 ? 'ready' : 'round')) await systemClock.sleep(5);
    await systemClock.sleep(Math.random() * 400);
    child.kill('SIGKILL');
    await child.exited;
    rounds += said.split('round').length - 1;
    const store = await openImageStore(home, { clock: systemClock, logger: silentLogger });
    expect(await checkStore(store)).toEqual([]);
    expect(await readdir(path.join(home, 'tmp'))).toHaveLength(1);
    expect(await readdir(path.join(home, 'scratch'))).toHaveLength(1);
    store.close();
  }
  expect(rounds).toBeGreaterThanOrEqual(KILLS / 2);
}, 180_000);

test('a full disk is one clear fault, leaves nothing behind, and is over when there is room', async () => {
  const small = path.join(dir, 'small');
  await mkdir(small);
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', small]);
  const store = await openImageStore(small, { clock: systemClock, logger: silentLogger });
  try {
    const filler = path.join(small, 'filler');
    const isFull = { code: 'DISK_FULL', next: expect.stringContaining('prune') };
    const big = () => Readable.from(Array.from({ length: 8 }, () => Buffer.alloc(1_000_000, 'x')));
    await expect(store.blobs.write(big())).rejects.toMatchObject(isFull);
    const image = await randomImage(store, { layers: 1, files: 20, fileBytes: 100_000 });
    await writeFile(filler, Buffer.alloc(2_500_000));
    await expect(store.layerFolders(image.layers)).rejects.toMatchObject(isFull);
    await expect(
      store.compressed(image.layers[0] ?? { diffId: digestOf(''), size: 0 }),
    ).rejects.toMatchObject(isFull);
    const upper = await store.scratch('upper');
    await writeFile(path.join(upper, 'file'), Buffer.alloc(900_000, 'y'));
    await expect(store.commitLayer(upper, { timestampMs: 0 })).rejects.toMatchObject(isFull);
    const [own = ''] = await readdir(path.join(small, 'tmp'));
    expect(await readdir(path.join(small, 'tmp', own))).toEqual([]);
    expect(await readdir(path.join(small, 'layers'))).toEqual([]);
    await rm(filler);
    await rm(upper, { recursive: true });
    expect(await store.layerFolders(image.layers)).toHaveLength(1);
    expect(await checkStore(store)).toEqual([]);
  } finally {
    store.close();
    // The database's files are let go of some time after it was closed.
    await runOrThrow('umount', ['--lazy', small]);
  }
});

test('a blob that was damaged on the disk is found, and fetched again by the next pull', async () => {
  const [origin, here] = [await temporaryStore(), await temporaryStore()];
  const server = await serveRegistry(origin.store);
  try {
    const image = await randomImage(origin.store, { layers: 1 });
    const name = `${server.host}/app:1`;
    await origin.store.tag(name, image.digest);
    const options = { insecure: true, credentials: TEST_CREDENTIALS };
    const pulled = await pull(here.store, name, options);
    const [layer] = pulled.layers;
    if (!layer) throw new Error('no layer');
    const { size } = layer;
    await writeFile(here.store.blobs.path(layer.diffId), Buffer.alloc(size, 'x'));
    await expect(here.store.layerFolders(pulled.layers)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await pull(here.store, name, options);
    expect(await here.store.layerFolders(pulled.layers)).toHaveLength(1);
    expect(await checkStore(here.store)).toEqual([]);
  } finally {
    await server.close();
    await origin.remove();
    await here.remove();
  }
});
