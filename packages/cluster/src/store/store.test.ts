import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@updraft/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { openResourceStore } from './store.ts';
import type { KubeObject, ResourceStore, WatchEvent } from './types.ts';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function configMap(name: string, data: Record<string, string> = {}, namespace = 'default'): KubeObject {
  const metadata = { name, namespace, uid: '', resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

function memory(historySize?: number): ResourceStore {
  return openResourceStore({ file: ':memory:', clock: systemClock, ...(historySize ? { historySize } : {}) });
}

describe('the resource store', () => {
  it('gives one rising revision over all resources', () => {
    const store = memory();
    const first = store.create('configmaps', configMap('a'));
    const second = store.create('secrets', configMap('a'));
    expect(Number(second.metadata.resourceVersion)).toBe(Number(first.metadata.resourceVersion) + 1);
    expect(store.revision).toBe(Number(second.metadata.resourceVersion));
    expect(first.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('finds everything again after it was opened anew, and never reuses a revision', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'updraft-store-'));
    folders.push(folder);
    const file = path.join(folder, 'cluster.db');
    const before = openResourceStore({ file, clock: systemClock });
    const kept = before.create('configmaps', configMap('kept', { k: 'v' }));
    before.create('configmaps', configMap('gone'));
    before.remove('configmaps', 'default', 'gone');
    const revision = before.revision;
    before.close();
    const after = openResourceStore({ file, clock: systemClock });
    expect(after.get('configmaps', 'default', 'kept')).toEqual(kept);
    expect(after.list('configmaps')).toHaveLength(1);
    expect(after.revision).toBe(revision);
    after.close();
  });

  it('keeps the order of its lists through every write, and each list as it was given', () => {
    const store = memory();
    for (const name of ['m', 'c', 'x']) store.create('configmaps', configMap(name));
    const first = store.list('configmaps');
    store.create('configmaps', configMap('d'));
    store.update('configmaps', configMap('c', { changed: 'yes' }));
    store.remove('configmaps', 'default', 'm');
    const names = (list: readonly KubeObject[]) => list.map(({ metadata }) => metadata.name);
    expect(names(store.list('configmaps'))).toEqual(['c', 'd', 'x']);
    expect(store.list('configmaps')[0]?.['data']).toEqual({ changed: 'yes' });
    expect(names(first)).toEqual(['c', 'm', 'x']);
  });

  it('refuses what is too large to keep, and goes on', () => {
    const store = memory();
    const large = configMap('large', { a: 'x'.repeat(4 * 1024 * 1024) });
    expect(() => store.create('configmaps', large)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
    expect(store.create('configmaps', configMap('large')).metadata.resourceVersion).toBe('2');
  });

  it('lists in order of namespace and name', () => {
    const store = memory();
    for (const [name, space] of [
      ['b', 'x'],
      ['a', 'x'],
      ['z', 'a'],
    ] as const) {
      store.create('configmaps', configMap(name, {}, space));
    }
    expect(store.list('configmaps').map((o) => `${o.metadata.namespace}/${o.metadata.name}`)).toEqual([
      'a/z',
      'x/a',
      'x/b',
    ]);
    expect(store.list('configmaps', 'x')).toHaveLength(2);
  });

  it('refuses a second object of the name, a write to none, and a write from an old revision', () => {
    const store = memory();
    const first = store.create('configmaps', configMap('a'));
    expect(() => store.create('configmaps', configMap('a'))).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS' }),
    );
    expect(() => store.update('configmaps', configMap('b'))).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
    expect(() => store.remove('configmaps', 'default', 'b')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
    store.update('configmaps', { ...first, data: { a: '1' } });
    expect(() => store.update('configmaps', { ...first, data: { a: '2' } })).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    );
  });

  it('writes nothing when nothing changes, whatever the order of the members', () => {
    const store = memory();
    const events: WatchEvent[] = [];
    const first = store.create('configmaps', configMap('a', { x: '1', y: '2' }));
    store.watch((event) => events.push(event));
    const same = store.update('configmaps', { ...configMap('a', { y: '2', x: '1' }) });
    expect(same).toBe(first);
    expect(events).toEqual([]);
  });

  it('hands out frozen objects and copies what comes in', () => {
    const store = memory();
    const given = configMap('a', { x: '1' });
    const stored = store.create('configmaps', given);
    (given['data'] as Record<string, string>)['x'] = 'changed';
    expect(store.get('configmaps', 'default', 'a')?.['data']).toEqual({ x: '1' });
    expect(() => ((stored['data'] as Record<string, string>)['x'] = '2')).toThrow(TypeError);
  });

  it('modifies a copy, and again when the change itself wrote', () => {
    const store = memory();
    store.create('configmaps', configMap('a', { n: '0' }));
    let tries = 0;
    const result = store.modify('configmaps', 'default', 'a', (object) => {
      tries += 1;
      if (tries === 1) store.update('configmaps', configMap('a', { n: '5' }));
      const data = object['data'] as Record<string, string>;
      return { ...object, data: { n: String(Number(data['n']) + 1) } };
    });
    expect(result?.['data']).toEqual({ n: '6' });
    expect(store.modify('configmaps', 'default', 'none', (o) => o)).toBeUndefined();
  });

  it('replays what happened after a revision, then goes on live', () => {
    const store = memory();
    const start = store.create('configmaps', configMap('a'));
    store.update('configmaps', configMap('a', { v: '1' }));
    const events: WatchEvent[] = [];
    const stop = store.watch((event) => events.push(event), Number(start.metadata.resourceVersion));
    store.remove('configmaps', 'default', 'a');
    stop();
    store.create('configmaps', configMap('b'));
    expect(events.map((event) => event.type)).toEqual(['MODIFIED', 'DELETED']);
    expect(events[1]?.object.metadata.resourceVersion).toBe(String(events[1]?.revision));
    expect(events[0]?.previous).toEqual(start);
  });

  it('says EXPIRED when the history does not reach back that far', () => {
    const store = memory(4);
    const first = store.create('configmaps', configMap('a'));
    for (let n = 0; n < 20; n += 1) store.update('configmaps', configMap('a', { n: String(n) }));
    const old = Number(first.metadata.resourceVersion);
    expect(() => store.watch(() => undefined, old)).toThrow(expect.objectContaining({ code: 'EXPIRED' }));
    const events: WatchEvent[] = [];
    store.watch((event) => events.push(event), store.revision - 4);
    expect(events.map((event) => event.revision)).toEqual([3, 2, 1, 0].map((back) => store.revision - back));
  });

  it('tells every listener in order even when one of them writes, and survives one that throws', () => {
    const errors: unknown[] = [];
    const store = openResourceStore({
      file: ':memory:',
      clock: systemClock,
      onListenerError: (e) => errors.push(e),
    });
    const heard: number[] = [];
    store.watch((event) => {
      if (event.object.metadata.name === 'a') store.create('configmaps', configMap('b'));
      throw new Error('broken listener');
    });
    store.watch((event) => heard.push(event.revision));
    store.create('configmaps', configMap('a'));
    expect(heard).toEqual([store.revision - 1, store.revision]);
    expect(errors).toHaveLength(2);
  });

  it('takes 500 small writes a second with ease', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'updraft-store-'));
    folders.push(folder);
    const store = openResourceStore({ file: path.join(folder, 'cluster.db'), clock: systemClock });
    const begin = performance.now();
    for (let n = 0; n < 1000; n += 1) store.create('configmaps', configMap(`c${n}`, { k: 'v' }));
    const perSecond = 1_000_000 / (performance.now() - begin);
    store.close();
    expect(perSecond).toBeGreaterThan(500);
  });
});
