import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { TEST_CREDENTIALS, serveRegistry, temporaryStore } from '@updraft/oci/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, updraft } from './harness.ts';

const { dir, remove } = temporaryFolder('large');
const MB = 1024 * 1024;
const LAYER_MB = 1024;
/** Whatever the size of a layer. */
const PEAK_MB = 150;

interface Platform {
  readonly home: string;
  readonly pid: number;
  /** Host and port of its registry, as images are named there. */
  readonly registry: string;
}

async function run(home: string, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await updraft(args, { cwd: dir, home, ...(input && { input }) });
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

async function startPlatform(name: string): Promise<Platform> {
  const home = path.join(dir, name);
  await run(home, ['up']);
  const { pid, registry, ingress } = JSON.parse(await run(home, ['status', '--json'])) as {
    readonly pid: number;
    readonly registry: { readonly address: string };
    readonly ingress: { readonly domain: string };
  };
  // Where the ingress has another port than 80, its domain tells it.
  const [domain] = ingress.domain.split(':');
  return { home, pid, registry: `registry.${domain}:${registry.address.split(':')[1]}` };
}

let maker: Platform;

beforeAll(async () => {
  writeFileSync(path.join(dir, 'Dockerfile'), 'FROM scratch\nCOPY large /\n');
  writeFileSync(path.join(dir, '.dockerignore'), '*\n!large\n');
  const file = openSync(path.join(dir, 'large'), 'wx');
  // No holes: a thirtieth of it cannot be compressed, all of it is read, hashed and written.
  const block = Buffer.alloc(32 * MB);
  for (let written = 0; written < LAYER_MB; written += 32) {
    randomBytes(MB).copy(block);
    writeSync(file, block);
  }
  closeSync(file);
  maker = await startPlatform('maker');
  await run(maker.home, ['image', 'build', '--context', dir, '-t', 'large:1']);
});

afterAll(async () => {
  for (const name of ['maker', 'taker'])
    await updraft(['down', '--purge'], { cwd: dir, home: path.join(dir, name) });
  remove();
});

/** The most memory that a daemon had at once while `work` went on. */
async function peakMb({ pid }: Platform, work: () => Promise<unknown>): Promise<number> {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  await work();
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Bytes that a daemon and the programs it has waited for have read and written, from and to wherever. */
function bytesMoved({ pid }: Platform): number {
  const text = readFileSync(`/proc/${pid}/io`, 'utf8');
  return ['rchar', 'wchar'].reduce(
    (sum, name) => sum + Number(new RegExp(`${name}: (\\d+)`).exec(text)?.[1]),
    0,
  );
}

/** Blobs of the store that are larger than manifests, by inode. */
function largeBlobs({ home }: Platform): readonly number[] {
  const blobs = path.join(home, 'images/blobs/sha256');
  const files = readdirSync(blobs).map((name) => statSync(path.join(blobs, name)));
  return files.filter(({ size }) => size > MB).map(({ ino }) => ino);
}

test('pushed to and pulled from the embedded registry, not a byte of it moves', async () => {
  const name = `${maker.registry}/group/large:1`;
  const before = { blobs: largeBlobs(maker), moved: bytesMoved(maker) };
  await run(maker.home, ['image', 'push', 'large:1', name]);
  await run(maker.home, ['image', 'pull', name]);
  expect(bytesMoved(maker) - before.moved).toBeLessThan(MB);
  expect(largeBlobs(maker)).toEqual(before.blobs);
});

test('a layer of a gigabyte is built, saved, pushed and pulled in a seventh of its size', async () => {
  const store = await temporaryStore();
  const server = await serveRegistry(store.store);
  const name = `${server.host}/large:1`;
  const { username, password } = TEST_CREDENTIALS;
  const login = ['image', 'login', server.host, '--insecure', '-u', username, '--password-stdin'];
  try {
    const taker = await startPlatform('taker');
    for (const { home } of [maker, taker]) await run(home, login, password);
    const build = ['image', 'build', '--no-cache', '--context', dir, '-t', 'large:1'];
    const archive = path.join(dir, 'large.tar');
    const peaks = {
      build: await peakMb(maker, () => run(maker.home, build)),
      save: await peakMb(maker, () => run(maker.home, ['image', 'save', 'large:1', '-o', archive])),
      push: await peakMb(maker, () => run(maker.home, ['image', 'push', 'large:1', name, '--insecure'])),
      pull: await peakMb(taker, () => run(taker.home, ['image', 'pull', name, '--insecure'])),
      load: await peakMb(taker, () => run(taker.home, ['image', 'load', '-i', archive])),
    };
    process.stderr.write(`peak of memory in MB: ${JSON.stringify(peaks)}\n`);
    for (const [what, peak] of Object.entries(peaks)) expect(peak, what).toBeLessThan(PEAK_MB);
  } finally {
    await server.close();
    await store.remove();
  }
});
