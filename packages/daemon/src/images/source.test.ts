import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Emitter, systemClock } from '@updraft/kit';
import { machineArchitecture } from '@updraft/oci';
import { TEST_CREDENTIALS, randomImage, serveRegistry, temporaryStore } from '@updraft/oci/testing';
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

test('for another platform its own image is pulled, and the name stays what it was', async () => {
  const there = await temporaryStore();
  const server = await serveRegistry(there.store);
  try {
    const foreign = await imageFor(there, 'arm64');
    const name = `${server.host}/group/app:1`;
    await there.store.tag(name, foreign.digest);
    const own = await imageFor(temporary, machineArchitecture());
    await temporary.store.tag(name, own.digest);
    const transfer = { insecure: true };
    const find = (platform?: string) =>
      finder().find(name, {
        ...options(),
        credentials: TEST_CREDENTIALS,
        transfer,
        ...(platform && { platform }),
      });
    expect((await find('linux/arm64')).image.config.architecture).toBe('arm64');
    expect((await find()).image.digest).toBe(own.digest);
    expect(temporary.store.resolve(name)).toBe(own.digest);
  } finally {
    await server.close();
    await there.remove();
  }
});

async function imageFor({ store }: TemporaryStore, architecture: string) {
  const { layers } = await randomImage(store);
  return await store.putImage({ os: 'linux', architecture }, layers);
}

test('a build’s own credentials and mirrors get it what the machine cannot have', async () => {
  const origin = await temporaryStore();
  const server = await serveRegistry(origin.store);
  try {
    const image = await randomImage(origin.store);
    await origin.store.tag(`${server.host}/group/app:1`, image.digest);
    await origin.store.tag(`${server.host}/open/group/app:1`, image.digest);
    const asked: string[] = [];
    const withAccess = (access: NonNullable<FindOptions['access']>) => ({ ...options('always'), access });
    await expect(finder().find(`${server.host}/group/app:1`, options())).rejects.toMatchObject({
      code: 'IMAGE_FORBIDDEN',
    });
    const found = await finder().find(
      `${server.host}/group/app:1`,
      withAccess((registry) => {
        asked.push(registry);
        return Promise.resolve({ credentials: TEST_CREDENTIALS });
      }),
    );
    expect([found.image.digest, asked]).toEqual([image.digest, [server.host]]);
    // Although its registry was found to be away just before; with mirrors only, it is not asked at all.
    const sole = finder();
    await expect(sole.find(`${AWAY}/group/app:1`, options('always'))).rejects.toMatchObject({
      code: 'IMAGE_PULL_FAILED',
    });
    const mirrors = [`http://user:x@${server.host}/open`];
    await expect(
      sole.find(
        `${AWAY}/group/app:1`,
        withAccess(async () => ({ mirrors, mirrorsOnly: true })),
      ),
    ).rejects.toMatchObject({ code: 'IMAGE_FORBIDDEN', message: expect.stringContaining(server.host) });
  } finally {
    await server.close();
    await origin.remove();
  }
});

test('another address of the embedded registry is asked of the store alone', async () => {
  temporary.store.addAddress('127.0.0.1:1', OURS);
  const image = await randomImage(temporary.store);
  await temporary.store.tag(`${OURS}/g/a:1`, image.digest);
  expect((await finder().find(`${AWAY}/g/a:1`, options('always'))).image.digest).toBe(image.digest);
  await expect(finder().find(`${AWAY}/g/b:1`, options('always'))).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
  });
});
