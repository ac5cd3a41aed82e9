import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openSqlite } from './database.ts';
import { codeOf } from './fault.ts';

/**
 * Takes a lock that only one process of the machine can hold and that its death frees, however it dies: the write
 * lock of a database file. @returns what frees it; undefined when another process holds it.
 */
export function holdLock(file: string): (() => void) | undefined {
  mkdirSync(path.dirname(file), { recursive: true });
  const database = openSqlite(file);
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (codeOf(error) === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return () => database.close();
}
