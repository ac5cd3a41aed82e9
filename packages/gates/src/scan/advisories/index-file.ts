import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { openDatabase } from '@updraft/kit';
import type { Database } from '@updraft/kit';
import type { Advisory } from './advisory.ts';
import { packageKey } from './load.ts';
import type { Advisories } from './load.ts';
import { builtinNotes, withNotes } from './overlay.ts';
import type { StatusNote } from './overlay.ts';
import { advisoryFiles, missing } from './sources.ts';
import type { AdvisoryFile } from './sources.ts';

/** Raised when what is kept of an advisory changes: older indexes are then made anew. */
const INDEX_FORMAT = 4;

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
  if (!existsSync(index)) await build({ files, index, place, location }, options);
  const newest = Math.max(...files.map(({ modifiedMs }) => modifiedMs));
  return new IndexedAdvisories(openDatabase(index), options.dateMs ?? (await statedDate(location)) ?? newest);
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 20);

interface Build {
  readonly files: readonly AdvisoryFile[];
  readonly index: string;
  readonly place: string;
  readonly location: string;
}

const building = new Map<string, Promise<void>>();

/** Who comes while an index is made waits for it. */
async function build({ files, index, place, location }: Build, options: IndexOptions): Promise<void> {
  const known = building.get(index);
  if (known !== undefined) return known;
  options.onBuild?.(location);
  const made = writeAnew({ files, index, place, location }, options.folder);
  building.set(index, made);
  try {
    await made;
  } finally {
    building.delete(index);
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
    const row = this.#database.first(`SELECT content FROM ${table} WHERE package = ?`, key);
    return row === undefined ? [] : (JSON.parse(String(row['content'])) as readonly unknown[]);
  }

  close(): void {
    this.#database.close();
  }
}

async function writeAnew({ files, index, place, location }: Build, folder: string): Promise<void> {
  // Most scans find an index: reading records is loaded for those that do not.
  const { writeIndex } = await import('./index-writer.ts');
  await writeIndex(files, index, location);
  await removeOlder(folder, place, index);
}

/** Indexes of earlier states of the same place, and what a crash left of one. Who has one open can go on reading it. */
async function removeOlder(folder: string, place: string, current: string): Promise<void> {
  const keep = ['', '-wal', '-shm'].map((end) => `${path.basename(current)}${end}`);
  const old = (await readdir(folder)).filter((name) => name.startsWith(`${place}-`) && !keep.includes(name));
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
