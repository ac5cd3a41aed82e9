import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { Fault, codeOf, messageOf } from '@updraft/kit';
import type { Advisory } from './advisory.ts';
import { readOsvRecord } from './osv.ts';

/** Every advisory there is, found by ecosystem and package. */
export interface Advisories {
  /** When the data was made or fetched, in milliseconds. */
  readonly dateMs: number;
  /** `npm`, `PyPI`, `Debian:12`, with the number of advisories. */
  readonly ecosystems: ReadonlyMap<string, number>;
  for(ecosystem: string, packageName: string): readonly Advisory[];
}

/** Something is wrong with the advisories' files. */
export class AdvisoryFault extends Fault {
  override readonly name = 'AdvisoryFault';
}

/**
 * Reads OSV advisories from a file or a folder: `.json` (a record or an array of them), `.ndjson`, both also `.gz`.
 * In a folder, files of other kinds are left out; `metadata.json` may give the date as `{"date": "2026-11-22"}`, else
 * it is that of the newest file.
 * @throws AdvisoryFault ADVISORIES_MISSING when there is nothing to read, ADVISORIES_INVALID when a file is broken.
 */
export async function loadAdvisories(location: string): Promise<Advisories> {
  const files = await advisoryFiles(location);
  const index = new AdvisoryIndex();
  let dateMs = 0;
  for (const file of files) {
    await readAdvisoryFile(file, index);
    dateMs = Math.max(dateMs, (await stat(file)).mtimeMs);
  }
  if (index.ecosystems.size === 0) throw missing(location);
  return index.done((await statedDate(location)) ?? dateMs);
}

/** Advisories that are already in memory. */
export function advisoriesFrom(records: readonly unknown[], dateMs: number): Advisories {
  const index = new AdvisoryIndex();
  for (const record of records) index.add(record);
  return index.done(dateMs);
}

class AdvisoryIndex {
  readonly ecosystems = new Map<string, number>();
  readonly #byPackage = new Map<string, Advisory[]>();

  add(record: unknown): void {
    for (const advisory of readOsvRecord(record)) {
      const key = packageKey(advisory.ecosystem, advisory.packageName);
      const known = this.#byPackage.get(key);
      if (known === undefined) this.#byPackage.set(key, [advisory]);
      else known.push(advisory);
      this.ecosystems.set(advisory.ecosystem, (this.ecosystems.get(advisory.ecosystem) ?? 0) + 1);
    }
  }

  done(dateMs: number): Advisories {
    return {
      dateMs,
      ecosystems: this.ecosystems,
      for: (ecosystem, name) => this.#byPackage.get(packageKey(ecosystem, name)) ?? [],
    };
  }
}

/** Python's names are equal in any case and with any of `-_.` between their words. */
function packageKey(ecosystem: string, name: string): string {
  return `${ecosystem}\0${ecosystem === 'PyPI' ? name.toLowerCase().replaceAll(/[-_.]+/g, '-') : name}`;
}

const ADVISORY_FILE = /\.(?:json|ndjson|jsonl)(?:\.gz)?$/;
const NO_ADVISORIES = ['metadata.json', 'counts.json'];

async function advisoryFiles(location: string): Promise<readonly string[]> {
  try {
    if ((await stat(location)).isFile()) return [location];
    const members = await readdir(location, { recursive: true, withFileTypes: true });
    return members
      .filter(
        (member) =>
          member.isFile() && ADVISORY_FILE.test(member.name) && !NO_ADVISORIES.includes(member.name),
      )
      .map((member) => path.join(member.parentPath, member.name))
      .toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw missing(location);
    throw error;
  }
}

async function readAdvisoryFile(file: string, index: AdvisoryIndex): Promise<void> {
  try {
    if (/\.json(?:\.gz)?$/.test(file)) await readWhole(file, index);
    else await readLines(file, index);
  } catch (error) {
    throw new AdvisoryFault('ADVISORIES_INVALID', `${file} is no OSV data: ${messageOf(error)}`, {
      cause: error,
      next: 'Fetch the advisories again.',
    });
  }
}

async function readWhole(file: string, index: AdvisoryIndex): Promise<void> {
  const content = file.endsWith('.gz')
    ? await collect(createReadStream(file).pipe(createGunzip()))
    : await readFile(file);
  const records: unknown = JSON.parse(content.toString('utf8'));
  for (const record of Array.isArray(records) ? (records as unknown[]) : [records]) index.add(record);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readLines(file: string, index: AdvisoryIndex): Promise<void> {
  const raw = createReadStream(file);
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // Errors of the streams below do not reach the lines by themselves.
  const failed = new Promise<never>((_, reject) => {
    raw.once('error', reject);
    input.once('error', reject);
  });
  const lines = (async () => {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (line.trim() !== '') index.add(JSON.parse(line));
    }
  })();
  try {
    await Promise.race([lines, failed]);
  } finally {
    raw.destroy();
  }
}

async function statedDate(location: string): Promise<number | undefined> {
  try {
    const metadata: unknown = JSON.parse(await readFile(path.join(location, 'metadata.json'), 'utf8'));
    const { date } = metadata as { date?: unknown };
    const parsed = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    return Number.isNaN(parsed) ? undefined : parsed;
  } catch {
    return undefined;
  }
}

function missing(location: string): AdvisoryFault {
  return new AdvisoryFault('ADVISORIES_MISSING', `there are no advisories at ${location}`, {
    next: 'Put OSV exports there (osv.dev offers one for each ecosystem).',
  });
}
