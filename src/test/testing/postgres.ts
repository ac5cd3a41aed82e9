import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const DEBIAN = '/usr/lib/postgresql';

/** Debian keeps the server's programs out of PATH, a folder for each version. */
function findPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  return versions
    .map((version) => path.join(DEBIAN, version, 'bin'))
    .find((dir) => existsSync(path.join(dir, 'initdb')));
}

const programs = findPrograms();

/** Why a test with a database cannot run here; undefined: it can. */
export const withoutPostgres = programs === undefined ? 'no PostgreSQL server is installed' : undefined;

export interface PostgresServer {
  /** Of its first database; each caller makes its own. */
  url(database: string): string;
  createDatabase(name: string): void;
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

/** A real PostgreSQL in a folder of its own. */
export async function startPostgres(): Promise<PostgresServer> {
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
  const args = ['-D', data, '-p', String(port), '-k', dir, '-h', '127.0.0.1', '-c', 'max_connections=60'];
  let server: ReturnType<typeof spawn> | undefined;
  const created: PostgresServer = {
    url: (database) => `postgres://test@127.0.0.1:${port}/${database}`,
    createDatabase: (name) => run('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'test', name]),
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
