import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CacheStore } from './store.ts';

const DAY = 24 * 3600 * 1000;
const START = Date.parse('2026-01-01T00:00:00Z');

let dir: string;
let workspace: string;
const caches = () => path.join(dir, 'caches');
const store = (limits = { totalBytes: 1024 ** 3, unusedSeconds: 30 * 24 * 3600 }) =>
  new CacheStore(caches(), limits);
const write = (file: string, content: string) => {
  mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
  writeFileSync(path.join(workspace, file), content);
};
const at = (key: string, now = START) => ({ project: '/p', key, now });
const archives = () =>
  readdirSync(caches(), { recursive: true }).filter((name) => String(name).endsWith('.tar'));
async function restored(key: string, now = START): Promise<string | undefined> {
  const target = mkdtempSync(path.join(dir, 'target-'));
  const found = await store().restore('/p', key, target, now);
  return found ? readFileSync(path.join(target, 'deps/a'), 'utf8') : undefined;
}

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'caches-'));
  workspace = path.join(dir, 'workspace');
  write('deps/a', 'one');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('what was saved comes back; another key or project has nothing', async () => {
  expect(await restored('k')).toBeUndefined();
  expect(await store().save(at('k'), workspace, ['deps/a'])).toMatchObject({ kind: 'saved', evicted: [] });
  expect(await restored('k')).toBe('one');
  expect(await restored('other')).toBeUndefined();
  expect(await store().restore('/other', 'k', workspace, START)).toBe(false);
});

test('a cache in which nothing changed is not written again', async () => {
  await store().save(at('k'), workspace, ['deps/a']);
  const before = archives();
  expect(await store().save(at('k'), workspace, ['deps/a'])).toEqual({ kind: 'unchanged' });
  expect(archives()).toEqual(before);
  write('deps/a', 'two, longer');
  expect((await store().save(at('k'), workspace, ['deps/a'])).kind).toBe('saved');
  expect(await restored('k')).toBe('two, longer');
  expect(archives()).toHaveLength(1);
});

test('restored and unchanged is unchanged for the next save, too', async () => {
  await store().save(at('k'), workspace, ['deps/a']);
  const target = mkdtempSync(path.join(dir, 'target-'));
  await store().restore('/p', 'k', target, START);
  expect(await store().save(at('k'), target, ['deps/a'])).toEqual({ kind: 'unchanged' });
});

test('beyond the limit the one not used for longest goes, and is named', async () => {
  const small = store({ totalBytes: 50_000, unusedSeconds: 1e6 });
  write('deps/a', 'x'.repeat(15_000));
  await small.save(at('first', START), workspace, ['deps/a']);
  await small.save(at('second', START + 1000), workspace, ['deps/a']);
  await small.restore('/p', 'first', workspace, START + 2000);
  expect(await small.save(at('third', START + 3000), workspace, ['deps/a'])).toMatchObject({
    evicted: ['second'],
  });
  expect(await small.restore('/p', 'first', workspace, START + 4000)).toBe(true);
  expect(await small.restore('/p', 'second', workspace, START + 4000)).toBe(false);
  expect(archives()).toHaveLength(2);
});

test('one that is larger than half of all is not kept', async () => {
  write('deps/a', 'x'.repeat(30_000));
  const small = store({ totalBytes: 50_000, unusedSeconds: 1e6 });
  expect(await small.save(at('k'), workspace, ['deps/a'])).toEqual({ kind: 'tooLarge', bytes: 30_000 });
  expect(existsSync(caches())).toBe(false);
});

test('one that nobody asks for goes after its time', async () => {
  await store().save(at('old'), workspace, ['deps/a']);
  expect(await store().evict(START + 29 * DAY)).toEqual([]);
  expect(await store().evict(START + 31 * DAY)).toEqual(['old']);
  expect(archives()).toEqual([]);
});

test('what dead writers left is no cache and is removed later', async () => {
  await store().save(at('k'), workspace, ['deps/a']);
  const folder = path.join(caches(), readdirSync(caches())[0] ?? '');
  for (const name of ['x.1.tar', 'x.2.tar.abcd.part']) {
    writeFileSync(path.join(folder, name), 'half');
    utimesSync(path.join(folder, name), START / 1000, START / 1000);
  }
  await store().evict(START + 1000);
  expect(readdirSync(folder)).toHaveLength(4);
  await store().evict(START + 2 * 3600 * 1000);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(await restored('k')).toBe('one');
});

test('an entry that cannot be read is no cache', async () => {
  await store().save(at('k'), workspace, ['deps/a']);
  const entry = readdirSync(caches(), { recursive: true }).find((name) => String(name).endsWith('.json'));
  writeFileSync(path.join(caches(), String(entry)), '{"key":');
  expect(await restored('k')).toBeUndefined();
  expect((await store().save(at('k'), workspace, ['deps/a'])).kind).toBe('saved');
});

test('parallel writers and readers of one key: every reader sees one writer’s files, whole', async () => {
  const writers = await Promise.all(
    [1, 2, 3, 4].map(async (writer) => {
      const mine = mkdtempSync(path.join(dir, 'writer-'));
      mkdirSync(path.join(mine, 'deps'));
      for (let file = 0; file < 30; file += 1)
        writeFileSync(path.join(mine, 'deps', `${file}`), `writer ${writer}`);
      return mine;
    }),
  );
  const files = Array.from({ length: 30 }, (_, file) => `deps/${file}`).toSorted();
  const read = async () => {
    const target = mkdtempSync(path.join(dir, 'reader-'));
    if (!(await store().restore('/p', 'shared', target, START))) return undefined;
    return new Set(files.map((file) => readFileSync(path.join(target, file), 'utf8'))).size;
  };
  await store().save(at('shared'), writers[0] ?? '', files);
  const work = [...writers, ...writers].flatMap((mine) => [
    store().save(at('shared'), mine, files),
    read(),
    read(),
  ]);
  const results = await Promise.all(work);
  for (const result of results) expect(typeof result === 'object' || result === 1).toBe(true);
  expect(archives()).toHaveLength(1);
});
