import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFolders } from './folders.ts';
import type { StoreFolders } from './folders.ts';
import { dropUnwritten } from './power-loss.ts';

let dir: string;
let folders: StoreFolders;
const layers = async () => (await readdir(folders.layers)).toSorted();
const layer = (name: string) => mkdir(path.join(folders.layers, name, 'etc'), { recursive: true });
/** A start of the machine that everything here was made before. */
const later = (id: string) => ({ id, startedMs: Date.now() + 60_000 });

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-power-'));
  folders = await openFolders(dir);
  await layer('old');
  await sleep(400);
  await layer('young');
});
afterEach(() => rm(dir, { recursive: true }));

test('layers of the last moments before the machine started again are not trusted', async () => {
  await dropUnwritten(folders, later('second'), 200);
  expect(await layers()).toEqual(['old']);
  await layer('young');
  await dropUnwritten(folders, later('second'), 200);
  expect(await layers()).toEqual(['old', 'young']);
});

test('what was made since the machine started is on no uncertain ground', async () => {
  await dropUnwritten(folders, { id: 'second', startedMs: 0 }, 200);
  expect(await layers()).toEqual(['old', 'young']);
});

test('the same run of the machine loses nothing', async () => {
  folders = await openFolders(dir);
  expect(await layers()).toEqual(['old', 'young']);
});
