import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageDir } from '../lib/places.ts';
import { startPostgres, withoutPostgres, type PostgresServer } from './testing/postgres.ts';
import { withFolder } from './testing/running-app.ts';

const scripts = path.join(packageDir, '../.gitlab/ansible/roles/database/files');
const usable =
  existsSync(scripts) && withoutPostgres === undefined && spawnSync('pg_dump', ['--version']).status === 0;

interface Place {
  run(
    script: string,
    args?: readonly string[],
    env?: Record<string, string>,
  ): { code: number | null; output: string };
  ask(statement: string): Promise<readonly unknown[]>;
  dumps(): Promise<string[]>;
  readonly folder: string;
}

// In the image of the tests there are neither the scripts nor pg_dump.
describe.skipIf(!usable)('backup.sh and restore.sh', () => {
  let server: PostgresServer;
  let databases = 0;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.remove());

  /** A database with one entry, and a folder for its dumps. */
  async function withDatabase(work: (place: Place) => Promise<void>): Promise<void> {
    const name = `dumps_${(databases += 1)}`;
    await server.createDatabase(name);
    const url = new URL(server.url(name));
    const sql = postgres(url.href, { max: 1, onnotice: () => undefined });
    await sql`create table entries (id text primary key)`;
    await sql`insert into entries values ('first')`;
    await withFolder(async (dir) => {
      const folder = path.join(dir, 'backup');
      await mkdir(folder);
      await writeFile(path.join(dir, 'password'), 'unused');
      await work({
        folder,
        run(script, args = [], env = {}) {
          const { status, stdout, stderr } = spawnSync('sh', [path.join(scripts, script), ...args], {
            encoding: 'utf8',
            env: {
              PATH: process.env['PATH'],
              PGHOST: url.hostname,
              PGPORT: url.port,
              PGUSER: url.username,
              PGDATABASE: url.pathname.slice(1),
              BACKUP_DIR: folder,
              DATABASE_PASSWORD_FILE: path.join(dir, 'password'),
              ...env,
            },
          });
          return { code: status, output: stdout + stderr };
        },
        ask: (statement) => sql.unsafe(statement),
        dumps: async () => (await readdir(folder)).toSorted(),
      });
    }).finally(() => sql.end());
  }

  it('puts back what was dumped, and keeps a dump of what it replaced', () =>
    withDatabase(async ({ run, ask, dumps }) => {
      expect(run('backup.sh')).toMatchObject({ code: 0, output: expect.stringContaining('1 kept') });
      await ask(`delete from entries; insert into entries values ('second')`);
      expect(run('restore.sh', ['latest'])).toMatchObject({ code: 0 });
      expect(await ask('select id from entries')).toEqual([{ id: 'first' }]);
      const [, replaced = ''] = await dumps();
      expect(replaced).toMatch(/^before-restore-\d{8}T\d{6}Z\.dump$/);
      expect(run('restore.sh', [replaced]).code).toBe(0);
      expect(await ask('select id from entries')).toEqual([{ id: 'second' }]);
    }));

  it('keeps the newest, and those with a prefix apart; takes away what a killed one left', () =>
    withDatabase(async ({ run, dumps, folder }) => {
      for (const name of [
        '20260101T000000Z.dump',
        '20260102T000000Z.dump',
        'before-restore-20260101T000000Z.dump',
        '.20260103T000000Z.dump.partial',
      ]) {
        await writeFile(path.join(folder, name), '');
      }
      expect(run('backup.sh', [], { BACKUP_KEEP: '2' }).code).toBe(0);
      const [kept, made, other, ...more] = await dumps();
      expect([kept, other, more]).toEqual([
        '20260102T000000Z.dump',
        'before-restore-20260101T000000Z.dump',
        [],
      ]);
      expect(made).toMatch(/^\d{8}T\d{6}Z\.dump$/);
    }));

  it('leaves nothing with a name, and removes nothing, when the database is away', () =>
    withDatabase(async ({ run, dumps, folder }) => {
      await writeFile(path.join(folder, '20260101T000000Z.dump'), '');
      expect(run('backup.sh', [], { PGPORT: '1', BACKUP_KEEP: '1' }).code).not.toBe(0);
      expect(run('backup.sh', [], { BACKUP_KEEP: '0' }).code).toBe(2);
      expect(await dumps()).toEqual(['20260101T000000Z.dump']);
    }));

  it('changes nothing when a dump is broken, is not there, or lies elsewhere', () =>
    withDatabase(async ({ run, ask, folder }) => {
      await writeFile(path.join(folder, '20260101T000000Z.dump'), 'no dump');
      expect(run('restore.sh', ['latest']).code).not.toBe(0);
      expect(run('restore.sh', ['nothing.dump'])).toMatchObject({
        code: 1,
        output: expect.stringContaining('20260101T000000Z.dump'),
      });
      for (const name of ['../x.dump', '.x.dump']) expect(run('restore.sh', [name]).code).toBe(2);
      expect(await ask('select id from entries')).toEqual([{ id: 'first' }]);
    }));
});
