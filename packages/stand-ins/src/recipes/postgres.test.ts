import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postgresRecipe } from './postgres.ts';

const programs = '/usr/lib/postgresql/15/bin';
const usable = existsSync(path.join(programs, 'initdb')) && process.getuid?.() === 0;
const NOBODY = 65_534;

/** The entry point as the image has it, but for where its scripts, sockets and passing files lie. */
function entryPoint(dir: string): string {
  const recipe = postgresRecipe();
  const text = recipe.kind === 'dockerfile' ? (recipe.files?.['docker-entrypoint.sh'] ?? '') : '';
  expect(text).toContain('/docker-entrypoint-initdb.d/');
  return (
    text
      .replaceAll('/tmp/', `${dir}/`)
      .replaceAll('/docker-entrypoint-initdb.d/', `${dir}/scripts/`)
      .replaceAll("'-c listen_addresses='", `'-c listen_addresses= -c unix_socket_directories=${dir}'`)
      // Not the server itself: what would be started.
      .replace('exec postgres ', 'exec echo postgres ')
  );
}

describe.skipIf(!usable)('the entry point of the stand-in for postgres, as a user that is not root', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'updraft-postgres-'));
    for (const name of ['scripts', 'volume']) mkdirSync(path.join(dir, name));
    writeFileSync(path.join(dir, 'entry.sh'), entryPoint(dir));
    for (const name of ['.', 'volume']) chownSync(path.join(dir, name), NOBODY, NOBODY);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const start = (env: Record<string, string>, ...args: string[]) => {
    const settings = Object.entries({ PGDATA: `${dir}/volume/data`, PGHOST: dir, ...env });
    const assigned = settings.map(([name, value]) => `${name}=${value}`);
    const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    return run('setpriv', [...identity, 'env', ...assigned, 'sh', `${dir}/entry.sh`, ...args]);
  };

  test('takes its password from a file, runs the scripts once, and starts with the flags it is given', async () => {
    writeFileSync(`${dir}/password`, 'secret');
    writeFileSync(
      `${dir}/scripts/a.sh`,
      `#!/bin/sh\necho "prepared as $(psql -Atqc 'select current_user')"\n`,
    );
    chmodSync(`${dir}/scripts/a.sh`, 0o755);
    writeFileSync(`${dir}/scripts/b.sql`, 'create table made (id int);');
    const env = {
      POSTGRES_PASSWORD_FILE: `${dir}/password`,
      POSTGRES_USER: 'boss',
      PGUSER: 'boss',
      POSTGRES_INITDB_ARGS: '--data-checksums',
    };
    const first = await start(env, 'postgres', '-c', 'max_connections=5');
    expect(first.stdout, first.stderr).toContain('prepared as boss');
    expect(first.stdout).toMatch(/^postgres -D \S+ -c listen_addresses=\* -c max_connections=5$/m);
    expect(readdirSync(dir)).not.toContain('pw');

    // A volume whose group was given access: the server would refuse it.
    chmodSync(`${dir}/volume/data`, 0o2770);
    const second = await start({}, '-c', 'x=y');
    expect(second.stdout.trim()).toBe(`postgres -D ${dir}/volume/data -c listen_addresses=* -c x=y`);
    expect(statSync(`${dir}/volume/data`).mode & 0o777).toBe(0o700);
  }, 60_000);

  test('asks for a password, and runs another program when asked to', async () => {
    const refused = await start({}, 'postgres');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('Set POSTGRES_PASSWORD')]);
    expect((await start({}, 'echo', 'hello')).stdout).toBe('hello\n');
  });
});
