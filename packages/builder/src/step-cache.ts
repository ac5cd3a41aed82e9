import type { DiffId, ImageStore, Layer } from '@updraft/oci';
import { openDatabase } from '@updraft/kit';
import path from 'node:path';

/** What a step made: a layer, or nothing (it changed no file). */
export interface StepResult {
  readonly layer: Layer | undefined;
}

export interface FileDigest {
  /** See FileStatus. */
  readonly identity: string;
  readonly digest: string;
}

export type Attributes = readonly (readonly [string, Buffer])[];

/** What earlier builds found out. Losing it costs time, nothing else. */
export interface StepCache {
  /** undefined when the step was never done, was done before `sinceMs`, or its layer is gone from the store. */
  step(key: string, sinceMs: number): Promise<StepResult | undefined>;
  putStep(key: string, result: StepResult, nowMs: number): void;
  /** Of all steps that are known. */
  layers(): readonly DiffId[];
  /** Digest of a file's content. */
  file(identity: string): string | undefined;
  putFiles(files: readonly FileDigest[]): void;
  /** A file's extended attributes, as long as this process lives; `read` finds them out. */
  attributes(identity: string, read: () => Attributes): Attributes;
  /** Digest of something in immutable layers, by a key of ours. */
  tree(key: string): string | undefined;
  putTree(key: string, digest: string): void;
  close(): void;
}

const SCHEMA = `
  DROP TABLE IF EXISTS steps;
  CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, diff_id TEXT, size INTEGER, made_ms INTEGER) WITHOUT ROWID;
  DROP TABLE IF EXISTS files;
  CREATE TABLE IF NOT EXISTS contents (identity TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS trees (key TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
`;

/** More than this many remembered files are forgotten all at once: on disk, and in memory. */
const MAX_FILES = 500_000;
const MAX_IN_MEMORY = 100_000;

const NO_ATTRIBUTES: Attributes = [];

/** Facts of the files that were asked for last: asking the database for each takes longer than all the rest. */
class Recent<Value> {
  readonly #known = new Map<string, Value>();

  /** What is known, or what `search` finds. */
  find(key: string, search: () => Value | undefined): Value | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = search();
    if (found === undefined) return undefined;
    if (this.#known.size >= MAX_IN_MEMORY) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }
}

export function openStepCache(dir: string, store: ImageStore): StepCache {
  const database = openDatabase(path.join(dir, 'cache.db'));
  database.script(SCHEMA);
  const files = database.first('SELECT COUNT(*) AS count FROM contents');
  if (Number(files?.['count'] ?? 0) > MAX_FILES) database.script('DELETE FROM contents');
  const text = (sql: string, key: string) => {
    const value = database.first(sql, key)?.['digest'];
    return typeof value === 'string' ? value : undefined;
  };
  const digests = new Recent<string>();
  const attributes = new Recent<Attributes>();
  return {
    async step(key, sinceMs) {
      const row = database.first(
        'SELECT diff_id, size FROM results WHERE key = ? AND made_ms >= ?',
        key,
        sinceMs,
      );
      if (!row) return undefined;
      if (typeof row['diff_id'] !== 'string') return { layer: undefined };
      const diffId = row['diff_id'] as DiffId;
      if ((await store.blobs.size(diffId)) === undefined) return undefined;
      return { layer: { diffId, size: Number(row['size']) } };
    },
    putStep: (key, { layer }, nowMs) =>
      database.write(
        'INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)',
        key,
        layer?.diffId ?? null,
        layer?.size ?? null,
        nowMs,
      ),
    layers: () =>
      database
        .all('SELECT DISTINCT diff_id FROM results WHERE diff_id IS NOT NULL')
        .map((row) => row['diff_id'] as DiffId),
    file: (identity) =>
      digests.find(identity, () => text('SELECT digest FROM contents WHERE identity = ?', written(identity))),
    attributes: (identity, read) =>
      attributes.find(identity, () => {
        const found = read();
        return found.length === 0 ? NO_ATTRIBUTES : found;
      }) ?? NO_ATTRIBUTES,
    putFiles: (files) => {
      if (files.length === 0) return;
      database.transaction(() => {
        for (const { identity, digest } of files) {
          database.write('INSERT OR REPLACE INTO contents VALUES (?, ?)', written(identity), digest);
        }
      });
    },
    tree: (key) => text('SELECT digest FROM trees WHERE key = ?', key),
    putTree: (key, digest) => database.write('INSERT OR REPLACE INTO trees VALUES (?, ?)', key, digest),
    close: () => database.close(),
  };
}

/** An identity is bytes, one a character: a database wants text without zeros. */
const written = (identity: string) => Buffer.from(identity, 'latin1').toString('base64');
