import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { openDatabase } from '@updraft/kit';
import type { Database } from '@updraft/kit';
import type { Advisory } from './advisory.ts';
import { packageKey } from './load.ts';
import type { Advisories } from './load.ts';
import { readOsvRecord } from './osv.ts';
import { builtinNotes, withNotes } from './overlay.ts';
import type { StatusNote } from './overlay.ts';
import { advisoryFiles, missing, readAdvisoryFile } from './sources.ts';
import type { AdvisoryFile, AdvisoryItem } from './sources.ts';

/** Raised when what is kept of an advisory changes: older indexes are then made anew. */
const INDEX_FORMAT = 1;
const WRITES_AT_ONCE = 5000;

export interface IndexOptions {
  /** The indexes' own folder. */
  readonly folder: string;
  /** When the data was made, where the caller knows better than the files' own dates. */
  readonly dateMs?: number;
  /** Told once when an index has to be made, which takes a while for a whole database. */
  readonly onBuild?: (location: string) => void;
}

/**
 * Opens the advisories of a file or a folder through an index on disk. It is made when the files are new or changed, in one
 * go (a crash leaves no half), and then costs milliseconds to open and next to no memory.
 * @throws AdvisoryFault ADVISORIES_MISSING, ADVISORIES_INVALID
 */
export async function openAdvisories(location: string, options: IndexOptions): Promise<Advisories> {
  const files = await advisoryFiles(location);
  if (files.length === 0) throw missing(location);
  const place = hash(path.resolve(location));
  const state = hash([INDEX_FORMAT, ...files.map((file) => Object.values(file).join(' '))].join('\n'));
  const index = path.join(options.folder, `${place}-${state}.db`);
  if (!existsSync(index)) {
    options.onBuild?.(location);
    await build(files, index, location);
    await removeOlder(options.folder, place, index);
  }
  const newest = Math.max(...files.map(({ modifiedMs }) => modifiedMs));
  return new IndexedAdvisories(openDatabase(index), options.dateMs ?? (await statedDate(location)) ?? newest);
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 20);

async function build(files: readonly AdvisoryFile[], index: string, location: string): Promise<void> {
  await mkdir(path.dirname(index), { recursive: true });
  const temporary = `${index}.${randomBytes(4).toString('hex')}.tmp`;
  const database = openDatabase(temporary);
  try {
    // Nobody sees the file before it is whole, and a log beside it would not be renamed with it.
    database.script('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;');
    const writer = new IndexWriter(database);
    for (const { file } of files) for await (const item of readAdvisoryFile(file)) writer.add(item);
    if (writer.finish() === 0) throw missing(location);
    database.close();
    await rename(temporary, index);
  } catch (error) {
    database.close();
    throw error;
  } finally {
    for (const end of ['', '-wal', '-shm']) await rm(`${temporary}${end}`, { force: true });
  }
}

class IndexWriter {
  readonly #database: Database;
  readonly #counts = new Map<string, number>();
  #pending: (() => void)[] = [];

  constructor(database: Database) {
    this.#database = database;
    database.script(`CREATE TABLE advisory (package TEXT NOT NULL, content TEXT NOT NULL);
      CREATE TABLE note (package TEXT NOT NULL, content TEXT NOT NULL);
      CREATE TABLE ecosystem (name TEXT PRIMARY KEY, advisories INTEGER NOT NULL);`);
  }

  add(item: AdvisoryItem): void {
    if (item.kind === 'note') this.#write('note', item.note.ecosystem, item.note.packageName, item.note);
    else for (const advisory of readOsvRecord(item.record)) this.#addAdvisory(advisory);
    if (this.#pending.length >= WRITES_AT_ONCE) this.#flush();
  }

  #addAdvisory(advisory: Advisory): void {
    this.#write('advisory', advisory.ecosystem, advisory.packageName, advisory);
    this.#counts.set(advisory.ecosystem, (this.#counts.get(advisory.ecosystem) ?? 0) + 1);
  }

  #write(table: 'advisory' | 'note', ecosystem: string, name: string, content: object): void {
    const values = [packageKey(ecosystem, name), JSON.stringify(content)] as const;
    this.#pending.push(() => this.#database.write(`INSERT INTO ${table} VALUES (?, ?)`, ...values));
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#database.transaction(() => {
      for (const write of pending) write();
    });
  }

  /** @returns the number of ecosystems there are advisories for */
  finish(): number {
    for (const [name, count] of this.#counts) {
      this.#pending.push(() => this.#database.write('INSERT INTO ecosystem VALUES (?, ?)', name, count));
    }
    this.#flush();
    this.#database.script('CREATE INDEX advisory_package ON advisory (package)');
    this.#database.script('CREATE INDEX note_package ON note (package)');
    return this.#counts.size;
  }
}

class IndexedAdvisories implements Advisories {
  readonly dateMs: number;
  readonly ecosystems: ReadonlyMap<string, number>;
  readonly #database: Database;

  constructor(database: Database, dateMs: number) {
    this.#database = database;
    this.dateMs = dateMs;
    const rows = database.all('SELECT name, advisories FROM ecosystem');
    this.ecosystems = new Map(rows.map(({ name, advisories }) => [String(name), Number(advisories)]));
  }

  for(ecosystem: string, packageName: string): readonly Advisory[] {
    const key = packageKey(ecosystem, packageName);
    const found = this.#contents('advisory', key) as readonly Advisory[];
    if (found.length === 0) return found;
    const notes = [
      ...(this.#contents('note', key) as readonly StatusNote[]),
      ...builtinNotes(ecosystem, packageName),
    ];
    return notes.length === 0 ? found : found.map((advisory) => withNotes(advisory, notes));
  }

  #contents(table: 'advisory' | 'note', key: string): readonly unknown[] {
    const rows = this.#database.all(`SELECT content FROM ${table} WHERE package = ?`, key);
    return rows.map(({ content }) => JSON.parse(String(content)) as unknown);
  }

  close(): void {
    this.#database.close();
  }
}

/** Indexes of earlier states of the same place. One that is still open stays readable until it is closed. */
async function removeOlder(folder: string, place: string, current: string): Promise<void> {
  const keep = path.basename(current);
  const old = (await readdir(folder)).filter(
    (name) => name.startsWith(`${place}-`) && !name.startsWith(keep),
  );
  for (const name of old) await rm(path.join(folder, name), { force: true });
}

async function statedDate(location: string): Promise<number | undefined> {
  try {
    const { date } = JSON.parse(await readFile(path.join(location, 'metadata.json'), 'utf8')) as {
      date?: unknown;
    };
    const parsed = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    return Number.isNaN(parsed) ? undefined : parsed;
  } catch {
    return undefined;
  }
}
