import type Sqlite from 'libsql';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Fault, messageOf } from './fault.ts';
import { diskFault } from './files.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;
export type Row = Readonly<Record<string, SqlValue>>;

/** The embedded database (SQLite): synchronous, one writer, safe under kill -9 (write-ahead log). */
export interface Database {
  /** Runs statements that return nothing, such as a schema. */
  script(sql: string): void;
  write(sql: string, ...values: SqlValue[]): void;
  all(sql: string, ...values: SqlValue[]): Row[];
  first(sql: string, ...values: SqlValue[]): Row | undefined;
  /** All writes of `work`, or none of them. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens or makes a database. Commits are durable against a crash of the process at once, and against a crash of
 * the machine at the next checkpoint (`synchronous = NORMAL`).
 * @throws Fault DATABASE_UNUSABLE when the file is not a database or cannot be opened; DISK_FULL, as from every write.
 */
export function openDatabase(file: string): Database {
  if (file !== ':memory:') mkdirSync(path.dirname(file), { recursive: true });
  try {
    const sqlite = openSqlite(file);
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    return wrap(sqlite, file);
  } catch (error) {
    const fault = diskFault(error, file);
    if (fault !== error) throw fault;
    throw new Fault('DATABASE_UNUSABLE', `cannot open the database ${file}: ${messageOf(error)}`, {
      cause: error,
      next: 'Move the file away and start again; what it recorded is lost.',
    });
  }
}

const require = createRequire(import.meta.url);

/** Loaded when it is needed: the native library costs a command that has no database 40 ms at its start. */
export function openSqlite(file: string): Sqlite.Database {
  const Library = require('libsql') as typeof Sqlite;
  return new Library(file);
}

/** @throws Fault DISK_FULL */
function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskFault(error, file);
  }
}

function wrap(sqlite: Sqlite.Database, file: string): Database {
  const statements = new Map<string, Sqlite.Statement>();
  const prepare = (sql: string) => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = sqlite.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    script: (sql) => void writing(file, () => sqlite.exec(sql)),
    write: (sql, ...values) => void writing(file, () => prepare(sql).run(...values)),
    all: (sql, ...values) => prepare(sql).all(...values) as Row[],
    first: (sql, ...values) => prepare(sql).get(...values) as Row | undefined,
    transaction: (work) => writing(file, () => transacted(sqlite, work)),
    close: () => sqlite.close(),
  };
}

/** On a full disk SQLite has rolled back by itself, and the library's own attempt fails: what went wrong first counts. */
function transacted<T>(sqlite: Sqlite.Database, work: () => T): T {
  let first: { readonly error: unknown } | undefined;
  const noted = () => {
    try {
      return work();
    } catch (error) {
      first = { error };
      throw error;
    }
  };
  try {
    return sqlite.transaction(noted)();
  } catch (error) {
    throw first === undefined ? error : first.error;
  }
}
