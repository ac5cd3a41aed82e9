import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoreAway, StoreBusy, type Store } from '../lib/store/store.ts';
import { MIGRATIONS } from '../lib/store/postgres/migrations.ts';
import {
  canRestartPostgres,
  startPostgres,
  withoutPostgres,
  type PostgresServer,
} from './testing/postgres.ts';
import { postgresStore, runApp } from './testing/running-app.ts';

describe.skipIf(withoutPostgres !== undefined)('the postgres store', () => {
  let server: PostgresServer;
  let databases = 0;
  let url: string;
  const opened: Store[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.remove());
  beforeEach(async () => {
    const name = `own_${(databases += 1)}`;
    await server.createDatabase(name);
    url = server.url(name);
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  const open = async (options: { statementTimeoutMs?: number } = {}) => {
    const store = postgresStore(url, options);
    opened.push(store);
    await store.open();
    return store;
  };
  const version = async () => {
    const sql = postgres(url, { max: 1 });
    const rows = await sql<{ version: number }[]>`select version from schema_version`;
    await sql.end();
    return rows.map((row) => row.version);
  };

  it('makes its tables once, however many replicas start together', async () => {
    await Promise.all(Array.from({ length: 6 }, () => open()));
    expect(await version()).toEqual([MIGRATIONS.length]);
    await open();
    expect(await version()).toEqual([MIGRATIONS.length]);
  });

  it('leaves a newer database as it is and works with it', async () => {
    await open();
    const sql = postgres(url, { max: 1 });
    await sql`update schema_version set version = 99`;
    await sql.end();
    const store = await open();
    expect(await version()).toEqual([99]);
    expect(await store.get(await store.create('{}'))).toBe('{}');
  });

  it('is one store for all replicas', async () => {
    const [a, b] = [await open(), await open()];
    const id = await a.create('{"a":1}');
    expect(await b.get(id)).toBe('{"a":1}');
    expect(await b.remove(id)).toBe('done');
    expect(await a.get(id)).toBeUndefined();
  });

  it.skipIf(!canRestartPostgres)(
    'says that it is away while the database is, and serves again without a restart',
    async () => {
      const app = await runApp({ store: postgresStore(url, { statementTimeoutMs: 500 }) });
      try {
        const id = await app.store.create('{"kept":true}');
        expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
        await server.kill();
        const away = await fetch(`${app.url}/addresses/${id}`);
        expect(away.status).toBe(503);
        expect(away.headers.get('retry-after')).toBe('1');
        expect(await away.text()).not.toMatch(/ECONN|127\.0\.0\.1|postgres/i);
        expect((await fetch(`${app.url}/readyz`)).status).toBe(503);
        await expect(app.store.create('{}')).rejects.toThrow(StoreAway);
        await server.start();
        await expect.poll(async () => (await fetch(`${app.url}/readyz`)).status, { timeout: 5000 }).toBe(200);
        expect(await app.store.get(id)).toBe('{"kept":true}');
      } finally {
        await app.close();
        await server.start().catch(() => undefined);
      }
    },
  );

  it.skipIf(!canRestartPostgres)(
    'keeps everything it acknowledged when the database dies under load',
    async () => {
      const store = await open({ statementTimeoutMs: 500 });
      const acknowledged: string[] = [];
      const load = new AbortController();
      const writers = Array.from({ length: 8 }, async () => {
        while (!load.signal.aborted) {
          await store.create('{"n":1}').then(
            (id) => acknowledged.push(id),
            (error: unknown) => expect(error).toBeInstanceOf(StoreAway),
          );
        }
      });
      for (let round = 0; round < 2; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await server.kill();
        await server.start();
      }
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 5000 }).toBeGreaterThan(before);
      load.abort();
      await Promise.all(writers);
      const kept = new Set(Object.keys(JSON.parse((await store.list()).text) as object));
      expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    },
  );

  it('does not wait for ever on an entry that somebody holds', async () => {
    const store = await open({ statementTimeoutMs: 200 });
    const id = await store.create('1');
    const sql = postgres(url, { max: 1 });
    await sql.begin(async (held) => {
      await held`select doc from entries where id = ${id} for update`;
      await expect(store.replace(id, '2')).rejects.toThrow(StoreBusy);
      expect(await store.get(id)).toBe('1');
    });
    await sql.end();
    expect(await store.replace(id, '2')).toBe('done');
  });

  it('gives up on a database that never comes, without its password in the message', async () => {
    const store = postgresStore('postgres://user:very-secret@127.0.0.1:1/x', { connectTimeoutMs: 500 });
    opened.push(store);
    const error = await store.open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreAway);
    expect(String(error)).not.toContain('very-secret');
  });
});
