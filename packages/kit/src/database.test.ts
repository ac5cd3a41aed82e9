import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from './database.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'updraft-database-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a database that cannot grow says that the disk is full, and can still be read', () => {
  const database = openDatabase(path.join(folder, 'full.db'));
  try {
    database.script('CREATE TABLE things (name TEXT)');
    // As if the disk ended here.
    database.first('PRAGMA max_page_count = 1');
    const isFull = expect.objectContaining({ code: 'DISK_FULL', next: expect.stringContaining('prune') });
    const large = 'x'.repeat(100_000);
    expect(() => database.write('INSERT INTO things VALUES (?)', large)).toThrow(isFull);
    expect(() => database.transaction(() => database.write('INSERT INTO things VALUES (?)', large))).toThrow(
      isFull,
    );
    expect(database.all('SELECT * FROM things')).toEqual([]);
    expect(() => database.write('INSERT INTO nowhere VALUES (1)')).toThrow(/no such table/);
  } finally {
    database.close();
  }
});

test('a file that is no database is said to be none', async () => {
  const file = path.join(folder, 'text.db');
  await writeFile(file, 'not a database at all, but long enough to be looked at'.repeat(100));
  expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'DATABASE_UNUSABLE' }));
});
