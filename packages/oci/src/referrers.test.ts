import { systemClock } from '@updraft/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attachReferrer, referrersOf, tagWithReferrers } from './referrers.ts';
import { push } from './remote/push.ts';
import { checkCredentials } from './remote/login.ts';
import { TEST_CREDENTIALS, randomImage, serveRegistry, temporaryStore } from './testing/index.ts';
import type { TemporaryStore, TestServer } from './testing/index.ts';

const SBOM = { artifactType: 'application/spdx+json', content: Buffer.from('{"spdxVersion":"SPDX-2.3"}') };
const OPTIONS = { insecure: true, credentials: TEST_CREDENTIALS };

let here: TemporaryStore;
let there: TemporaryStore;
let server: TestServer;
beforeEach(async () => {
  const clock = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 };
  here = await temporaryStore({ clock });
  there = await temporaryStore();
  server = await serveRegistry(there.store);
});
afterEach(async () => {
  await server.close();
  await here.remove();
  await there.remove();
});

test('an attachment is found by its subject, once, whatever the names, and lives as long', async () => {
  const { store } = here;
  const image = await randomImage(store);
  await expect(attachReferrer(store, image.digest, SBOM)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  await store.tag('one:1', image.digest);
  await store.tag('two:1', image.digest);
  const { digest } = await attachReferrer(store, image.digest, SBOM);
  expect((await attachReferrer(store, image.digest, SBOM)).digest).toBe(digest);
  expect(referrersOf(store, image.digest)).toMatchObject([{ digest, artifactType: SBOM.artifactType }]);
  expect(referrersOf(store, image.digest, 'application/x-other')).toEqual([]);
  await store.prune();
  expect(await store.blobs.size(digest)).toBeGreaterThan(0);
  await store.untag('one:1');
  await store.untag('two:1');
  await store.prune();
  expect(await store.blobs.size(digest)).toBeUndefined();
});

test('a push takes attachments along, for the digest that the image has there', async () => {
  const image = await randomImage(here.store);
  await here.store.tag('mine:1', image.digest);
  await attachReferrer(here.store, image.digest, SBOM);
  const { digest } = await push(here.store, image, `${server.host}/mine:1`, OPTIONS);
  expect(digest).not.toBe(image.digest);
  const [found, ...more] = referrersOf(there.store, digest, SBOM.artifactType);
  expect(more).toEqual([]);
  const manifest = await there.store.images.manifest(found?.digest ?? digest);
  const [layer] = manifest?.kind === 'artifact' ? manifest.manifest.layers : [];
  expect(await there.store.blobs.readSmall(layer?.digest ?? digest, 1000)).toEqual(SBOM.content);
});

test('credentials are asked about before they are kept', async () => {
  await checkCredentials(server.host, OPTIONS);
  const credentials = { username: 'user', password: 'wrong' };
  await expect(checkCredentials(server.host, { insecure: true, credentials })).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
  });
  await expect(checkCredentials('127.0.0.1:1', OPTIONS)).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
  });
});

test('another name brings the attachments to its repository; pruning leaves them', async () => {
  const { store } = here;
  const image = await randomImage(store);
  await store.tag('one:1', image.digest);
  const { digest } = await attachReferrer(store, image.digest, SBOM);
  await tagWithReferrers(store, 'registry.example/two:1', image.digest);
  await store.untag('one:1');
  await store.prune();
  const inTwo = store.records.referrers(image.digest, 'registry.example/two');
  expect(inTwo.map((found) => found.digest)).toEqual([digest]);
  expect(await store.blobs.size(digest)).toBeGreaterThan(0);
});
