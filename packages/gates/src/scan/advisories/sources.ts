import { createReadStream } from 'node:fs';
import type { ReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { codeOf, messageOf } from '@updraft/kit';
import { AdvisoryFault } from './fault.ts';
import { readDebianTracker, readStatusNote } from './overlay.ts';
import type { StatusNote } from './overlay.ts';
import { readZip } from './zip.ts';

/** A file with advisories, or with what a distribution says of them. */
export interface AdvisoryFile {
  readonly file: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export type AdvisoryItem =
  | { readonly kind: 'record'; readonly record: unknown }
  | { readonly kind: 'note'; readonly note: StatusNote };

const ADVISORY_FILE = /\.(?:(?:json|ndjson|jsonl)(?:\.gz)?|zip)$/;
const NO_ADVISORIES = ['metadata.json', 'counts.json'];

/**
 * The files at a place, sorted: the place itself, or those of a folder that are JSON, lines of JSON or zips of it.
 * @throws AdvisoryFault ADVISORIES_MISSING when there is no such place
 */
export async function advisoryFiles(location: string): Promise<readonly AdvisoryFile[]> {
  try {
    if ((await stat(location)).isFile()) return [await describe(location)];
    const members = await readdir(location, { recursive: true, withFileTypes: true });
    const names = members.filter((member) => member.isFile() && isAdvisoryFile(member.name));
    const files = await Promise.all(
      names.map(({ parentPath, name }) => describe(path.join(parentPath, name))),
    );
    return files.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw missing(location);
    throw error;
  }
}

const isAdvisoryFile = (name: string): boolean => ADVISORY_FILE.test(name) && !NO_ADVISORIES.includes(name);

async function describe(file: string): Promise<AdvisoryFile> {
  const { size, mtimeMs } = await stat(file);
  return { file, bytes: size, modifiedMs: mtimeMs };
}

/**
 * What is in a file. Zips are read member by member, lines line by line: neither has to fit into memory.
 * @throws AdvisoryFault ADVISORIES_INVALID when it is broken
 */
export async function* readAdvisoryFile(file: string): AsyncGenerator<AdvisoryItem> {
  try {
    if (file.endsWith('.zip')) yield* readMembers(file);
    else if (/\.json(?:\.gz)?$/.test(file))
      yield* itemsOf(path.basename(file), JSON.parse(await readWhole(file)));
    else yield* readLines(file);
  } catch (error) {
    throw new AdvisoryFault('ADVISORIES_INVALID', `${file} is no OSV data: ${messageOf(error)}`, {
      cause: error,
      next: 'Fetch the advisories again.',
    });
  }
}

async function* readMembers(file: string): AsyncGenerator<AdvisoryItem> {
  for await (const { name, content } of readZip(file)) {
    if (name.endsWith('.json')) yield* itemsOf(name, JSON.parse(content.toString('utf8')));
  }
}

function* itemsOf(name: string, content: unknown): Generator<AdvisoryItem> {
  if (/debian-tracker\.json/.test(name)) {
    for (const note of readDebianTracker(content)) yield { kind: 'note', note };
    return;
  }
  for (const record of Array.isArray(content) ? (content as unknown[]) : [content])
    yield { kind: 'record', record };
}

async function readWhole(file: string): Promise<string> {
  if (!file.endsWith('.gz')) return readFile(file, 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file).pipe(createGunzip())) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function* readLines(file: string): AsyncGenerator<AdvisoryItem> {
  const raw = createReadStream(file);
  const isStatus = /\.status\.(?:ndjson|jsonl)/.test(file);
  for await (const line of linesOf(raw, file.endsWith('.gz'))) {
    if (line.trim() === '') continue;
    const content: unknown = JSON.parse(line);
    const note = isStatus ? readStatusNote(content) : undefined;
    if (note !== undefined) yield { kind: 'note', note };
    else if (!isStatus) yield { kind: 'record', record: content };
  }
}

async function* linesOf(raw: ReadStream, isPacked: boolean): AsyncGenerator<string> {
  const input = isPacked ? raw.pipe(createGunzip()) : raw;
  // The lines end without a word when a stream below breaks: the error is kept for then.
  const broken: unknown[] = [];
  raw.on('error', (error) => {
    broken.push(error);
    input.destroy();
  });
  input.on('error', (error: unknown) => broken.push(error));
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
    if (broken.length > 0) throw broken[0];
  } finally {
    raw.destroy();
  }
}

export function missing(location: string): AdvisoryFault {
  return new AdvisoryFault('ADVISORIES_MISSING', `there are no advisories at ${location}`, {
    next: 'Put OSV exports there (osv.dev offers one for each ecosystem).',
  });
}
