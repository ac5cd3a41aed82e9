import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Emitter, systemClock } from '@updraft/kit';
import { randomImage, temporaryStore } from '@updraft/oci/testing';
import type { TemporaryStore } from '@updraft/oci/testing';
import type { StandIn, StandIns } from '@updraft/stand-ins';
import { RegistryAccess } from './access.ts';
import { ImageFinder } from './source.ts';
import type { FindOptions } from './source.ts';

let temporary: TemporaryStore;
let made: string[];
const OURS = 'registry.example.localhost:5000';
/** Nothing listens on port 1: a registry that cannot be reached. */
const AWAY = '127.0.0.1:1';

beforeEach(async () => {
  temporary = await temporaryStore();
  made = [];
});
afterEach(() => temporary.remove());

const options = (policy: FindOptions['policy'] = 'if-not-present'): FindOptions => ({
  policy,
  credentials: undefined,
  onLog: () => undefined,
});

/** Stand-ins for every repository called `known`. */
function finder(more: Partial<StandIn> = {}): ImageFinder {
  const standIns: StandIns = {
    find: (reference) =>
      reference.includes('/known')
        ? {
            reference,
            note: 'a stand-in',
            always: false,
            tools: false,
            recipe: { kind: 'debian', suite: 'x' },
            ...more,
          }
        : undefined,
    make: async ({ reference }) => {
      made.push(reference);
      return randomImage(temporary.store);
    },
    known: () => ['known'],
  };
  return new ImageFinder({
    store: temporary.store,
    standIns,
    clock: systemClock,
    registryHost: OURS,
    progress: new Emitter(),
    access: new RegistryAccess({ home: temporary.dir, trust: undefined }, { HOME: temporary.dir }),
  });
}

test('a stand-in takes the place of an image whose registry cannot be reached, and says so', async () => {
  const found = await finder().find(`${AWAY}/group/known:1`, options());
  expect(found.notes).toEqual(['a stand-in']);
  expect(made).toEqual([`${AWAY}/group/known:1`]);
});

test('what is in the store is taken first; without a stand-in the image is named', async () => {
  const image = await randomImage(temporary.store);
  await temporary.store.tag(`${AWAY}/group/known:1`, image.digest);
  expect((await finder().find(`${AWAY}/group/known:1`, options())).image.digest).toBe(image.digest);
  await expect(finder().find(`${AWAY}/group/other:1`, options())).rejects.toMatchObject({
    code: 'IMAGE_PULL_FAILED',
    message: expect.stringContaining('group/other:1'),
  });
  expect(made).toEqual([]);
});

test('a registry that answers is believed: what it does not have is no case for a stand-in', async () => {
  const server = createServer((_request, response) => response.writeHead(404).end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await expect(finder().find(`127.0.0.1:${port}/group/known:1`, options())).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
  });
  server.close();
  expect(made).toEqual([]);
});

test('images of the embedded registry are here or nowhere; never means never', async () => {
  await expect(finder().find(`${OURS}/known:1`, options())).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
  });
  await expect(finder().find(`${AWAY}/known:1`, options('never'))).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
  });
  await expect(finder().find('NOT A NAME', options())).rejects.toMatchObject({ code: 'IMAGE_NAME_INVALID' });
  expect(made).toEqual([]);
});

test('tools that are always ours are never pulled', async () => {
  await finder({ always: true }).find(`${AWAY}/known:1`, options('always'));
  expect(made).toHaveLength(1);
});
