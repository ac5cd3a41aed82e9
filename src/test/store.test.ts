import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it as test } from 'vitest';
import { StoreFull, type Store } from '../lib/store/store.ts';
import { MemoryStore } from '../lib/store/memory-store.ts';
import { STORES } from './testing/running-app.ts';

// What every store promises. A new one joins STORES and nothing else.
describe.each(Object.entries(STORES))('the %s store', (_name, kind) => {
  let dir: string;
  let store: Store;
  beforeAll(async () => {
    if (kind.skip === undefined) await kind.setUp();
  }, 60_000);
  afterAll(() => kind.tearDown());
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'addrservice-store-'));
    if (kind.skip !== undefined) return;
    store = await kind.make(dir);
    await store.open();
  });
  afterEach(async () => {
    if (kind.skip === undefined) await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  const it = kind.skip === undefined ? test : test.skip;

  it('says what it is and that it can serve', async () => {
    expect(store.description).toMatch(/\(.*\)/);
    await expect(store.ping()).resolves.toBeUndefined();
  });

  it('makes ids of 32 hexadecimal digits, never the same', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => store.create('{}')));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(50);
  });

  it('gives texts back byte for byte', async () => {
    const text = JSON.stringify({ full_name: 'Zoë \u{1f600} "\\ \u0000 \ud800' });
    const id = await store.create(text);
    expect(await store.get(id)).toBe(text);
  });

  it('does not know other ids, whatever they look like', async () => {
    for (const id of [
      '0'.repeat(32),
      '',
      '..',
      '../x',
      'a/b',
      `${'0'.repeat(31)}G`,
      'constructor',
      '__proto__',
    ]) {
      expect(await store.get(id)).toBeUndefined();
      expect(await store.replace(id, '{}')).toBe('absent');
      expect(await store.remove(id)).toBe('absent');
    }
    expect((await store.list()).text).toBe('{}');
  });

  it('replaces, removes, and never brings back', async () => {
    const id = await store.create('{"a":1}');
    expect(await store.replace(id, '{"a":2}')).toBe('done');
    expect(await store.get(id)).toBe('{"a":2}');
    expect(await store.remove(id)).toBe('done');
    expect(await store.get(id)).toBeUndefined();
    expect(await store.replace(id, '{"a":3}')).toBe('absent');
    expect(await store.remove(id)).toBe('absent');
    expect(await store.get(id)).toBeUndefined();
  });

  it('asks before a conditional write, with what is there', async () => {
    const id = await store.create('{"a":1}');
    expect(await store.replace(id, '{"a":2}', (text) => text === '{"a":0}')).toBe('refused');
    expect(await store.remove(id, () => false)).toBe('refused');
    expect(await store.get(id)).toBe('{"a":1}');
    expect(await store.replace(id, '{"a":2}', (text) => text === '{"a":1}')).toBe('done');
  });

  it('lets one of many conditional writers win each round', async () => {
    const id = await store.create('0');
    for (let round = 0; round < 5; round++) {
      const before = String(round);
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, () => store.replace(id, String(round + 1), (text) => text === before)),
      );
      expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    }
    expect(await store.get(id)).toBe('5');
  });

  it('lists every entry, also while others are written', async () => {
    const kept = await Promise.all(Array.from({ length: 60 }, (_, n) => store.create(`{"n":${n}}`)));
    const churn = (async () => {
      for (let n = 0; n < 20; n++) await store.remove(await store.create('{"x":1}'));
    })();
    for (let n = 0; n < 5; n++) {
      const listing = await store.list();
      expect(listing.unreadable).toEqual([]);
      const entries = JSON.parse(listing.text) as Record<string, unknown>;
      for (const [at, id] of kept.entries()) expect(entries[id]).toEqual({ n: at });
    }
    await churn;
    expect(Object.keys(JSON.parse((await store.list()).text) as object).toSorted()).toEqual(kept.toSorted());
  });

  it('makes one entry of several creates under one key', async () => {
    const once = { key: 'a/../key', fingerprint: 'f1' };
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.createOnce('{"a":1}', once)));
    const ids = outcomes.map((outcome) => (outcome.kind === 'conflict' ? outcome.kind : outcome.id));
    expect(new Set(ids).size).toBe(1);
    expect(outcomes.filter((outcome) => outcome.kind === 'created')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.kind === 'repeated')).toHaveLength(7);
    expect((await store.list()).text).toBe(`{"${ids[0]}":{"a":1}}`);
    expect(await store.createOnce('{"a":2}', { ...once, fingerprint: 'f2' })).toEqual({ kind: 'conflict' });
    expect(await store.createOnce('{"a":1}', { ...once, key: 'other' })).toMatchObject({ kind: 'created' });
  });

  it('remembers a key when its entry is gone', async () => {
    const once = { key: 'k', fingerprint: 'f' };
    const first = await store.createOnce('1', once);
    await store.remove(first.kind === 'created' ? first.id : '');
    expect(await store.createOnce('1', once)).toMatchObject({ kind: 'repeated' });
    expect((await store.list()).text).toBe('{}');
  });

  it('gives pages that together are the list', async () => {
    const ids = await Promise.all(Array.from({ length: 25 }, (_, n) => store.create(`{"n":${n}}`)));
    const seen: string[] = [];
    let after: string | undefined = '';
    while (after !== undefined) {
      const { text, next }: { text: string; next: string | undefined } = await store.page({
        after,
        limit: 10,
      });
      seen.push(...Object.keys(JSON.parse(text) as object));
      after = next;
    }
    expect(seen).toEqual(ids.toSorted());
    expect(await store.page({ after: 'f'.repeat(32), limit: 5 })).toEqual({ text: '{}', next: undefined });
    expect((await store.page({ after: '', limit: 25 })).next).toBeUndefined();
  });

  it('shows a change in the next list', async () => {
    const id = await store.create('1');
    expect((await store.list()).text).toBe(`{"${id}":1}`);
    await store.replace(id, '2');
    expect((await store.list()).text).toBe(`{"${id}":2}`);
    await store.remove(id);
    expect((await store.list()).text).toBe('{}');
  });
});

describe('the memory store', () => {
  test('has an end', async () => {
    const store = new MemoryStore({ maxEntries: 2 });
    await store.create('1');
    const id = await store.create('2');
    await expect(store.create('3')).rejects.toThrow(StoreFull);
    await store.remove(id);
    await expect(store.create('3')).resolves.toMatch(/^[0-9a-f]{32}$/);
  });

  test('has an end in characters too, for whatever is written', async () => {
    const store = new MemoryStore({ maxLength: 10 });
    const id = await store.create('12345');
    await expect(store.create('123456')).rejects.toThrow(StoreFull);
    await expect(store.replace(id, '12345678901')).rejects.toThrow(StoreFull);
    expect(await store.get(id)).toBe('12345');
    expect(await store.replace(id, '1234567890')).toBe('done');
    await expect(store.create('1')).rejects.toThrow(StoreFull);
    await store.remove(id);
    await expect(store.create('1234567890')).resolves.toMatch(/^[0-9a-f]{32}$/);
  });
});
