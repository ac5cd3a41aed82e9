import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';

const DEBIAN = '/usr/lib/postgresql';

/** Debian keeps the server's programs out of PATH, a folder for each version. */
function findPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  return versions
    .map((version) => path.join(DEBIAN, version, 'bin'))
    .find((dir) => existsSync(path.join(dir, 'initdb')));
}

const programs = findPrograms();

/** A server that is there already, such as a service of a CI job: `postgres://user@host:port/any`. */
const external = process.env['TEST_DATABASE_URL'];

/** Why a test with a database cannot run here; undefined: it can. */
export const withoutPostgres =
  programs === undefined && external === undefined
    ? 'no PostgreSQL server is installed, and TEST_DATABASE_URL names none'
    : undefined;

/** Tests may stop and start the server. */
export const canRestartPostgres = external === undefined && programs !== undefined;

export interface PostgresServer {
  /** Of its first database; each caller makes its own. */
  url(database: string): string;
  createDatabase(name: string): Promise<void>;
  /** As when the machine fails. */
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const idOf = (flag: string): number =>
  Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);

/** It refuses to run as root. */
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function ended(child: ReturnType<typeof spawn>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

const refuse = () => Promise.reject(new Error('this server is not ours'));

/** Somebody else's server: databases with names of our own, removed at the end. */
function connectPostgres(address: string): PostgresServer {
  const mark = `addrservice_${randomBytes(6).toString('hex')}`;
  const made: string[] = [];
  const url = (database: string) => {
    const own = new URL(address);
    own.pathname = `/${mark}_${database}`;
    return own.href;
  };
  const ask = async (statement: string) => {
    const sql = postgres(address, { max: 1, onnotice: () => undefined });
    await sql.unsafe(statement).finally(() => sql.end());
  };

  return {
    url,
    async createDatabase(name) {
      await ask(`create database ${mark}_${name}`);
      made.push(name);
    },
    kill: refuse,
    start: refuse,
    async remove() {
      for (const name of made) await ask(`drop database if exists ${mark}_${name} with (force)`);
    },
  };
}

/** A real PostgreSQL: the one that TEST_DATABASE_URL names, else one in a folder of its own. */
export async function startPostgres(): Promise<PostgresServer> {
  if (external !== undefined) return connectPostgres(external);
  const dir = await mkdtemp(path.join(tmpdir(), 'addrservice-postgres-'));
  const who = identity();
  if (who.uid !== undefined && who.gid !== undefined) await chown(dir, who.uid, who.gid);
  const port = await freePort();
  const data = path.join(dir, 'data');
  const run = (program: string, args: readonly string[]) => {
    const result = spawnSync(path.join(programs ?? '', program), args, {
      ...who,
      cwd: dir,
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`${program}: ${result.stderr}`);
  };
  run('initdb', ['-D', data, '-A', 'trust', '-U', 'test', '-E', 'UTF8', '--no-sync']);
  const args = [
    '-D',
    data,
    '-p',
    String(port),
    '-k',
    dir,
    '-h',
    '127.0.0.1',
    '-c',
    'max_connections=60',
    '-c',
    'fsync=off',
  ];
  let server: ReturnType<typeof spawn> | undefined;
  const created: PostgresServer = {
    url: (database) => `postgres://test@127.0.0.1:${port}/${database}`,
    createDatabase: async (name) =>
      run('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'test', name]),
    async kill() {
      if (!server) return;
      const stopped = ended(server);
      // Immediate shutdown: no checkpoint, every connection cut; the next start recovers from the log.
      server.kill('SIGQUIT');
      await stopped;
      server = undefined;
    },
    async start() {
      server = spawn(path.join(programs ?? '', 'postgres'), args, { ...who, cwd: dir, stdio: 'ignore' });
      const until = performance.now() + 15_000;
      for (;;) {
        const ready = spawnSync(path.join(programs ?? '', 'pg_isready'), [
          '-h',
          '127.0.0.1',
          '-p',
          String(port),
        ]);
        if (ready.status === 0) return;
        if (performance.now() > until) throw new Error('PostgreSQL does not start');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async remove() {
      await created.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
  await created.start();
  return created;
}
