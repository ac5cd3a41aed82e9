import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expireArtifacts } from './expiry.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY = 24 * 3600 * 1000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'expiry-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function keep(job: string, record: object | string | undefined, writtenAt = NOW): string {
  const folder = path.join(dir, '1', job);
  mkdirSync(folder, { recursive: true });
  const archive = path.join(folder, 'artifacts.tar');
  writeFileSync(archive, 'x'.repeat(10));
  utimesSync(archive, writtenAt / 1000, writtenAt / 1000);
  const text = typeof record === 'string' ? record : JSON.stringify(record);
  if (record !== undefined) writeFileSync(path.join(folder, 'artifacts.json'), text);
  return archive;
}

test('what is over goes, what never ends and what is not over stays', async () => {
  const over = keep('over', { expiresAt: NOW - 1 });
  const young = keep('young', { expiresAt: NOW + 1 });
  const never = keep('never', {}, NOW - 900 * DAY);
  expect(await expireArtifacts(dir, NOW)).toEqual({ removed: 1, bytes: 10 });
  expect([over, young, never].map((file) => existsSync(file))).toEqual([false, true, true]);
  expect(existsSync(path.join(path.dirname(over), 'artifacts.json'))).toBe(true);
});

test('without a record that can be read, GitLab’s thirty days', async () => {
  const old = keep('old', undefined, NOW - 31 * DAY);
  const broken = keep('broken', '{', NOW - 31 * DAY);
  const fresh = keep('fresh', undefined, NOW - 29 * DAY);
  expect((await expireArtifacts(dir, NOW)).removed).toBe(2);
  expect([old, broken, fresh].map((file) => existsSync(file))).toEqual([false, false, true]);
});

test('no runs yet', async () => {
  expect(await expireArtifacts(path.join(dir, 'none'), NOW)).toEqual({ removed: 0, bytes: 0 });
});
