import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNetwork, createRuncRuntime } from '../index.ts';

const { PATH } = process.env;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-missing-'));
});
afterEach(async () => {
  process.env['PATH'] = PATH;
  await rm(dir, { recursive: true, force: true });
});

/** Only these programs are installed. */
async function install(...programs: string[]): Promise<void> {
  for (const program of programs) await symlink(`/usr/sbin/${program}`, path.join(dir, program));
  process.env['PATH'] = dir;
}

const options = () => ({
  id: 'ffffff',
  dir: path.join(dir, 'home'),
  clock: systemClock,
  logger: silentLogger,
});

it.each([
  ['nft', ['ip'], 'apt-get install nftables'],
  ['ip', ['nft'], 'apt-get install iproute2'],
])('a missing %s is named with its package, and nothing is left behind', async (program, installed, next) => {
  await install(...installed);
  await expect(createNetwork(options())).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    message: expect.stringContaining(program) as string,
    next: expect.stringContaining(next) as string,
  });
  expect(await readdir(dir)).toEqual(installed);
});

it('a missing runc is named when the runtime is made', async () => {
  await install('ip');
  await expect(createRuncRuntime(options())).rejects.toMatchObject({ code: 'PROGRAM_MISSING' });
});
