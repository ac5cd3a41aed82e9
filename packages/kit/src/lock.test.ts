import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { start } from './process.ts';
import { holdLock } from './lock.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kit-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('only one holder at a time, also within a process', () => {
  const file = path.join(dir, 'lock');
  const release = holdLock(file);
  expect(release).toBeDefined();
  expect(holdLock(file)).toBeUndefined();
  release?.();
  const again = holdLock(file);
  expect(again).toBeDefined();
  again?.();
});

test('a killed holder frees it', async () => {
  const file = path.join(dir, 'lock');
  const script = `const S=require('libsql');const d=new S(process.argv[1]);d.exec('BEGIN EXCLUSIVE');console.log('held');setInterval(()=>{},1000)`;
  const holder = await start(process.execPath, ['-e', script, file], { cwd: process.cwd() });
  await new Promise((resolve) => holder.stdout?.once('data', resolve));
  expect(holdLock(file)).toBeUndefined();
  holder.kill('SIGKILL');
  await holder.exited;
  const release = holdLock(file);
  expect(release).toBeDefined();
  release?.();
});
