import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { openDatabase } from '@updraft/kit';
import type { Database } from '@updraft/kit';
import type { Advisory } from './advisory.ts';
import { packageKey } from './load.ts';
import { readOsvRecord } from './osv.ts';
import { missing, readAdvisoryFile } from './sources.ts';
import type { AdvisoryFile, AdvisoryItem } from './sources.ts';

const ROWS_AT_ONCE = 2000;

const TABLES = ['advisory', 'note'] as const;

type Table = (typeof TABLES)[number];

/**
 * Makes an index of files with advisories: one row for a package, so that what a scan asks for comes out in one piece. The
 * rows are collected in a file of their own first; neither that nor the index has to fit into memory. The index appears
 * when it is whole.
 * @throws AdvisoryFault ADVISORIES_MISSING, ADVISORIES_INVALID; nothing is left behind
 */
export async function writeIndex(
  files: readonly AdvisoryFile[],
  index: string,
  location: string,
): Promise<void> {
  await mkdir(path.dirname(index), { recursive: true });
  const name = `${index}.${randomBytes(4).toString('hex')}`;
  const [rows, whole] = [openScratch(`${name}.rows.tmp`), openScratch(`${name}.tmp`)];
  try {
    const collector = new RowCollector(rows);
    for (const { file } of files) for await (const item of readAdvisoryFile(file)) collector.add(item);
    const counts = collector.finish();
    if (counts.size === 0) throw missing(location);
    for (const table of TABLES) group(rows, whole, table);
    writeCounts(whole, counts);
    rows.close();
    whole.close();
    await rename(`${name}.tmp`, index);
  } finally {
    rows.close();
    whole.close();
    for (const end of ['', '-wal', '-shm', '-journal']) {
      for (const file of [`${name}.rows.tmp`, `${name}.tmp`]) await rm(`${file}${end}`, { force: true });
    }
  }
}

/** Nobody sees the file before it is whole, and a log beside it would not be renamed with it. */
function openScratch(file: string): Database {
  const database = openDatabase(file);
  database.script('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;');
  return database;
}

class RowCollector {
  readonly #database: Database;
  readonly #counts = new Map<string, number>();
  #pending: { readonly table: Table; readonly key: string; readonly content: string }[] = [];

  constructor(database: Database) {
    this.#database = database;
    for (const table of TABLES) {
      database.script(`CREATE TABLE ${table} (package TEXT NOT NULL, content TEXT NOT NULL)`);
    }
  }

  add(item: AdvisoryItem): void {
    if (item.kind === 'note') this.#write('note', item.note);
    else for (const advisory of readOsvRecord(item.record)) this.#addAdvisory(advisory);
    if (this.#pending.length >= ROWS_AT_ONCE) this.#flush();
  }

  #addAdvisory(advisory: Advisory): void {
    this.#write('advisory', advisory);
    this.#counts.set(advisory.ecosystem, (this.#counts.get(advisory.ecosystem) ?? 0) + 1);
  }

  #write(table: Table, item: { readonly ecosystem: string; readonly packageName: string }): void {
    const key = packageKey(item.ecosystem, item.packageName);
    this.#pending.push({ table, key, content: JSON.stringify(item) });
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#database.transaction(() => {
      for (const { table, key, content } of pending) {
        this.#database.write(`INSERT INTO ${table} VALUES (?, ?)`, key, content);
      }
    });
  }

  /** @returns the number of advisories by ecosystem */
  finish(): ReadonlyMap<string, number> {
    this.#flush();
    for (const table of TABLES) this.#database.script(`CREATE INDEX ${table}_package ON ${table} (package)`);
    return this.#counts;
  }
}

/** Package by package, in their order, a page at a time. */
function group(rows: Database, whole: Database, table: Table): void {
  whole.script(`CREATE TABLE ${table} (package TEXT NOT NULL, content TEXT NOT NULL)`);
  let last = '';
  for (;;) {
    const page = rows.all(
      `SELECT package, '[' || group_concat(content, ',') || ']' AS content FROM ${table} WHERE package > ?
        GROUP BY package ORDER BY package LIMIT ${ROWS_AT_ONCE}`,
      last,
    );
    if (page.length === 0) break;
    whole.transaction(() => {
      for (const row of page) {
        whole.write(`INSERT INTO ${table} VALUES (?, ?)`, String(row['package']), String(row['content']));
      }
    });
    last = String(page.at(-1)?.['package']);
  }
  whole.script(`CREATE UNIQUE INDEX ${table}_package ON ${table} (package)`);
}

function writeCounts(whole: Database, counts: ReadonlyMap<string, number>): void {
  whole.script('CREATE TABLE ecosystem (name TEXT PRIMARY KEY, advisories INTEGER NOT NULL)');
  whole.transaction(() => {
    for (const [name, count] of counts) whole.write('INSERT INTO ecosystem VALUES (?, ?)', name, count);
  });
}
