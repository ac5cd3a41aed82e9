import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { signalProcess, start } from '@updraft/kit';
import type { RunningProcess } from '@updraft/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openInside, placeOf } from './inside.ts';
import { giveToGroup } from './ownership.ts';

let dir: string;
let volume: string;
let enemy: RunningProcess | undefined;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-inside-'));
  volume = path.join(dir, 'volume');
  await mkdir(path.join(volume, 'a'), { recursive: true });
  await mkdir(path.join(dir, 'outside'));
  await writeFile(path.join(volume, 'a', 'file'), 'inside', { mode: 0o600 });
  await writeFile(path.join(dir, 'outside', 'file'), 'outside', { mode: 0o600 });
  await symlink(path.join(dir, 'outside'), path.join(volume, 'link'));
});
afterEach(async () => {
  if (enemy) signalProcess(enemy.pid, 'SIGKILL');
  await enemy?.exited;
  enemy = undefined;
  await rm(dir, { recursive: true, force: true });
});

/** Another process that has the volume: `a` is a folder, then a link, then the folder again, without end. */
async function beginSwapping(): Promise<void> {
  const script = `
    const { renameSync } = require('node:fs');
    process.chdir(process.argv[1]);
    const move = (from, to) => { try { renameSync(from, to); } catch {} };
    for (;;) {
      move('a', 'b'); move('link', 'a');
      move('a', 'link'); move('b', 'a');
    }`;
  enemy = await start(process.execPath, ['-e', script, volume], { stdio: ['ignore', 'ignore', 'ignore'] });
  await new Promise((resolve) => setTimeout(resolve, 100));
}

test('a part is found, or made with the mode of the volume; links lead on inside only', async () => {
  await chmod(volume, 0o777);
  const made = await openInside(volume, 'new/deep');
  expect((await stat(path.join(volume, 'new', 'deep'))).mode & 0o777).toBe(0o777);
  expect((await made.stat()).isDirectory()).toBe(true);
  await made.close();
  await symlink('/a', path.join(volume, 'absolute'));
  const found = await openInside(volume, 'absolute/file');
  expect(await readFile(placeOf(found), 'utf8')).toBe('inside');
  await found.close();
  const led = await openInside(volume, 'link');
  await led.close();
  expect((await stat(path.join(volume, dir, 'outside'))).isDirectory()).toBe(true);
});

test('whoever changes folders into links meanwhile gets an error, never what lies outside', async () => {
  const seen = new Set<string>();
  await beginSwapping();
  for (let turn = 0; turn < 2000; turn += 1) {
    const found = await openInside(volume, 'a/file').catch(() => undefined);
    if ((await found?.stat())?.isFile()) seen.add(await readFile(placeOf(found!), 'utf8'));
    await found?.close();
  }
  // What is missing for a moment is made, which may end the game early: seeing nothing is no failure.
  expect([...seen]).not.toContain('outside');
});

test('a group is given what is in the volume alone, whatever becomes a link meanwhile', async () => {
  const outside = path.join(dir, 'outside', 'file');
  const group = process.getgid?.() ?? 0;
  await giveToGroup(volume, group, { readOnly: false });
  expect((await stat(path.join(volume, 'a', 'file'))).mode & 0o777).toBe(0o660);
  await beginSwapping();
  for (let turn = 0; turn < 1000; turn += 1) {
    await giveToGroup(volume, group, { readOnly: false }).catch(() => undefined);
    expect((await stat(outside)).mode & 0o777).toBe(0o600);
  }
});
