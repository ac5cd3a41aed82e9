import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { App } from '../../lib/http/app.ts';
import type { Readiness } from '../../lib/http/health.ts';
import { ServiceLog } from '../../lib/request-log.ts';
import { FileStore } from '../../lib/store/file-store.ts';
import { MemoryStore } from '../../lib/store/memory-store.ts';
import { PostgresStore } from '../../lib/store/postgres/postgres-store.ts';
import type { Store } from '../../lib/store/store.ts';
import { startPostgres, withoutPostgres, type PostgresServer } from './postgres.ts';

export interface RunningApp {
  readonly url: string;
  readonly port: number;
  readonly readiness: Readiness;
  readonly store: Store;
  /** What was logged until now, one object a line. */
  lines(): Record<string, unknown>[];
  /** Open ones. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function runApp(
  options: { store?: Store; debug?: boolean; bodyLimit?: number; requestTimeoutMs?: number } = {},
): Promise<RunningApp> {
  let written = '';
  const log = new ServiceLog({ write: (text) => (written += text), pretty: false });
  const store = options.store ?? new MemoryStore({ maxEntries: 1000 });
  await store.open();
  const readiness: Readiness = { draining: false };
  const app = new App({
    name: 'Address Book',
    store,
    log,
    readiness,
    debug: options.debug ?? false,
    bodyLimit: options.bodyLimit ?? 100_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 5000,
  });
  const port = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    readiness,
    store,
    lines() {
      log.flush();
      return written
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    connections: () => promisify(app.server.getConnections.bind(app.server))(),
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await store.close();
      log.flush();
    },
  };
}

/** Sends bytes as they are and gives back everything that comes until the other side closes. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    socket.on('data', (data) => (received += data.toString('latin1')));
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

export async function withFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'addrservice-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A kind of store: `open` makes a fresh one, with whatever it needs below `dir`. */
export interface StoreKind {
  /** Why it cannot be tried here. */
  readonly skip: string | undefined;
  setUp(): Promise<void>;
  make(dir: string): Store | Promise<Store>;
  tearDown(): Promise<void>;
}

const simple = (make: (dir: string) => Store): StoreKind => ({
  skip: undefined,
  setUp: async () => undefined,
  make,
  tearDown: async () => undefined,
});

function postgresKind(): StoreKind {
  let server: PostgresServer | undefined;
  let databases = 0;
  return {
    skip: withoutPostgres,
    async setUp() {
      server = await startPostgres();
    },
    async make() {
      const name = `test_${(databases += 1)}`;
      await server?.createDatabase(name);
      return postgresStore(server?.url(name) ?? '');
    },
    async tearDown() {
      await server?.remove();
    },
  };
}

export const postgresStore = (
  url: string,
  options: { statementTimeoutMs?: number; connectTimeoutMs?: number } = {},
): PostgresStore =>
  new PostgresStore({ url, pool: 5, statementTimeoutMs: 2000, connectTimeoutMs: 5000, ...options });

export const STORES: Readonly<Record<string, StoreKind>> = {
  memory: simple(() => new MemoryStore({ maxEntries: 1000 })),
  file: simple((dir) => new FileStore({ path: path.join(dir, 'store') })),
  postgres: postgresKind(),
};
