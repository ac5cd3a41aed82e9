import { openDatabase } from '@updraft/kit';
import type { Database, Row } from '@updraft/kit';
import type { ManifestLinks } from '../manifest.ts';
import type { DiffId, Digest } from '../types.ts';

/** A compressed form of a layer. `layerSize` is known once it was unpacked and found to be what it claims. */
export interface LayerSource {
  readonly diffId: DiffId;
  readonly blob: Digest;
  readonly mediaType: string;
  readonly blobSize: number;
  readonly layerSize: number | undefined;
  /** `received`: came from elsewhere, and manifests here name it. `made`: compressed here as is usual, for a push. */
  readonly origin: 'received' | 'made';
}

export interface NameRecord {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** As it was given, with its tag. */
  readonly shown: string;
  readonly digest: Digest;
}

/** A manifest that a repository (`host/path`) has. */
export interface RepositoryManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly subject: Digest | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS names (
  registry TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, shown TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (registry, repository, tag)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
  diff_id TEXT NOT NULL, blob TEXT NOT NULL, media_type TEXT NOT NULL, blob_size INTEGER NOT NULL,
  layer_size INTEGER, origin TEXT NOT NULL, PRIMARY KEY (diff_id, blob)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS repository_manifests (
  repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
  artifact_type TEXT, subject TEXT, annotations TEXT, PRIMARY KEY (repository, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS referrers ON repository_manifests (subject) WHERE subject IS NOT NULL;
CREATE TABLE IF NOT EXISTS repository_blobs (
  repository TEXT NOT NULL, digest TEXT NOT NULL, added_ms INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS repositories_by_blob ON repository_blobs (digest);
CREATE TABLE IF NOT EXISTS uses (
  digest TEXT NOT NULL PRIMARY KEY, used_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS layers_by_blob ON sources (blob);
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT NOT NULL PRIMARY KEY, repository TEXT NOT NULL, touched_ms INTEGER NOT NULL) WITHOUT ROWID;
`;

/** What the store knows besides its files: names, which repository has what, and compressed forms of layers. */
export class Records {
  readonly #db: Database;

  constructor(file: string) {
    this.#db = openDatabase(file);
    this.#db.script(SCHEMA);
  }

  close(): void {
    this.#db.close();
  }

  name(registry: string, repository: string, tag: string): Digest | undefined {
    const sql = 'SELECT digest FROM names WHERE registry = ? AND repository = ? AND tag = ?';
    return this.#db.first(sql, registry, repository, tag)?.['digest'] as Digest | undefined;
  }

  names(): readonly NameRecord[] {
    return this.#db.all('SELECT * FROM names ORDER BY registry, repository, tag') as unknown as NameRecord[];
  }

  namesOf(registry: string, repository: string): readonly NameRecord[] {
    const sql = 'SELECT * FROM names WHERE registry = ? AND repository = ? ORDER BY tag';
    return this.#db.all(sql, registry, repository) as unknown as NameRecord[];
  }

  setName({ registry, repository, tag, shown, digest }: NameRecord): void {
    this.#db.write(
      'INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?, ?)',
      registry,
      repository,
      tag,
      shown,
      digest,
    );
  }

  removeName(registry: string, repository: string, tag: string): boolean {
    const known = this.name(registry, repository, tag) !== undefined;
    this.#db.write(
      'DELETE FROM names WHERE registry = ? AND repository = ? AND tag = ?',
      registry,
      repository,
      tag,
    );
    return known;
  }

  sources(diffId: DiffId): readonly LayerSource[] {
    return this.#db.all('SELECT * FROM sources WHERE diff_id = ? ORDER BY blob', diffId).map(sourceOf);
  }

  /** Notes a form of a layer; what is known about it already stays known. */
  addSource({ diffId, blob, mediaType, blobSize, layerSize, origin }: LayerSource): void {
    const sql = `INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (diff_id, blob) DO UPDATE SET
      layer_size = coalesce(excluded.layer_size, layer_size),
      origin = CASE WHEN excluded.origin = 'made' THEN 'made' ELSE origin END`;
    this.#db.write(sql, diffId, blob, mediaType, blobSize, layerSize ?? null, origin);
  }

  removeSource(diffId: DiffId, blob: Digest): void {
    this.#db.write('DELETE FROM sources WHERE diff_id = ? AND blob = ?', diffId, blob);
  }

  /** Forgets every mention of a blob that is no longer in the store. */
  forgetBlob(digest: Digest): void {
    this.transaction(() => {
      this.#db.write('DELETE FROM sources WHERE blob = ?', digest);
      this.#db.write('DELETE FROM uses WHERE digest = ?', digest);
      this.#db.write('DELETE FROM repository_blobs WHERE digest = ?', digest);
      this.#db.write('DELETE FROM repository_manifests WHERE digest = ?', digest);
    });
  }

  addManifest(repository: string, digest: Digest, size: number, links: ManifestLinks): void {
    const { mediaType, artifactType, subject, annotations } = links;
    const sql = 'INSERT OR REPLACE INTO repository_manifests VALUES (?, ?, ?, ?, ?, ?, ?)';
    const texts = annotations ? JSON.stringify(annotations) : null;
    this.#db.write(sql, repository, digest, mediaType, size, artifactType ?? null, subject ?? null, texts);
  }

  manifest(repository: string, digest: Digest): RepositoryManifest | undefined {
    const sql = 'SELECT * FROM repository_manifests WHERE repository = ? AND digest = ?';
    const row = this.#db.first(sql, repository, digest);
    return row && manifestOf(row);
  }

  /** Of one repository, or of all when none is given. */
  referrers(subject: Digest, repository?: string): readonly RepositoryManifest[] {
    const sql =
      'SELECT * FROM repository_manifests WHERE subject = ? AND (? IS NULL OR repository = ?) ORDER BY digest';
    return this.#db.all(sql, subject, repository ?? null, repository ?? null).map(manifestOf);
  }

  /** Takes a manifest out of a repository, and the repository's names for it. */
  removeManifest(registry: string, path: string, digest: Digest): void {
    this.transaction(() => {
      const repository = `${registry}/${path}`;
      this.#db.write(
        'DELETE FROM repository_manifests WHERE repository = ? AND digest = ?',
        repository,
        digest,
      );
      const sql = 'DELETE FROM names WHERE registry = ? AND repository = ? AND digest = ?';
      this.#db.write(sql, registry, path, digest);
    });
  }

  addBlob(repository: string, digest: Digest, addedMs: number): void {
    this.#db.write('INSERT OR REPLACE INTO repository_blobs VALUES (?, ?, ?)', repository, digest, addedMs);
  }

  hasBlob(repository: string, digest: Digest): boolean {
    const sql = 'SELECT 1 FROM repository_blobs WHERE repository = ? AND digest = ?';
    return this.#db.first(sql, repository, digest) !== undefined;
  }

  removeBlob(repository: string, digest: Digest): void {
    this.#db.write('DELETE FROM repository_blobs WHERE repository = ? AND digest = ?', repository, digest);
  }

  blobsAddedSince(ms: number): readonly Digest[] {
    const rows = this.#db.all('SELECT DISTINCT digest FROM repository_blobs WHERE added_ms >= ?', ms);
    return rows.map((row) => row['digest'] as Digest);
  }

  /** Repositories of a registry that have a name or a manifest, sorted. */
  repositories(registry: string): readonly string[] {
    const sql = `SELECT repository FROM names WHERE registry = ?
      UNION SELECT substr(repository, length(?) + 2) FROM repository_manifests WHERE substr(repository, 1, length(?) + 1) = ? || '/'
      ORDER BY 1`;
    return this.#db
      .all(sql, registry, registry, registry, registry)
      .map((row) => row['repository'] as string);
  }

  setUsed(digest: Digest, ms: number): void {
    this.#db.write('INSERT OR REPLACE INTO uses VALUES (?, ?)', digest, ms);
  }

  /** When each layer, manifest and config was last of use. */
  uses(): readonly (readonly [Digest, number])[] {
    const rows = this.#db.all('SELECT * FROM uses');
    return rows.map((row) => [row['digest'] as Digest, Number(row['used_ms'])] as const);
  }

  /** Layers that this blob is said to be. */
  layersIn(blob: Digest): readonly DiffId[] {
    const rows = this.#db.all('SELECT diff_id FROM sources WHERE blob = ?', blob);
    return rows.map((row) => row['diff_id'] as DiffId);
  }

  /** Everything that belongs, or belonged, to a repository. */
  everLinked(): readonly Digest[] {
    const rows = this.#db.all('SELECT DISTINCT digest FROM repository_blobs');
    return rows.map((row) => row['digest'] as Digest);
  }

  /** Notes an upload, or that it is still alive. */
  setUpload(id: string, repository: string, touchedMs: number): void {
    this.#db.write('INSERT OR REPLACE INTO uploads VALUES (?, ?, ?)', id, repository, touchedMs);
  }

  /** The repository (`host/path`) that an upload belongs to. */
  uploadRepository(id: string): string | undefined {
    const sql = 'SELECT repository FROM uploads WHERE id = ?';
    return this.#db.first(sql, id)?.['repository'] as string | undefined;
  }

  uploads(): readonly { readonly id: string; readonly touchedMs: number }[] {
    return this.#db
      .all('SELECT id, touched_ms FROM uploads')
      .map((row) => ({ id: row['id'] as string, touchedMs: Number(row['touched_ms']) }));
  }

  removeUpload(id: string): void {
    this.#db.write('DELETE FROM uploads WHERE id = ?', id);
  }

  /** Repositories (`host/path`) of one registry that have a blob. */
  repositoriesWith(registry: string, digest: Digest): readonly string[] {
    const sql = `SELECT substr(repository, length(?) + 2) AS path FROM repository_blobs
      WHERE digest = ? AND substr(repository, 1, length(?) + 1) = ? || '/' ORDER BY 1`;
    return this.#db.all(sql, registry, digest, registry, registry).map((row) => row['path'] as string);
  }

  /** Every repository, of any registry, that has a manifest. */
  repositoriesOf(digest: Digest): readonly { readonly registry: string; readonly repository: string }[] {
    const rows = this.#db.all('SELECT repository FROM repository_manifests WHERE digest = ?', digest);
    return rows.map((row) => {
      const [registry = '', ...path] = (row['repository'] as string).split('/');
      return { registry, repository: path.join('/') };
    });
  }

  /** Something is, or was lately, in this repository (`host/path`). */
  hasRepository(repository: string): boolean {
    const sql = `SELECT 1 FROM repository_manifests WHERE repository = ?
      UNION ALL SELECT 1 FROM repository_blobs WHERE repository = ? LIMIT 1`;
    return this.#db.first(sql, repository, repository) !== undefined;
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }
}

function sourceOf(row: Row): LayerSource {
  return {
    diffId: row['diff_id'] as DiffId,
    blob: row['blob'] as Digest,
    mediaType: row['media_type'] as string,
    blobSize: Number(row['blob_size']),
    layerSize: row['layer_size'] === null ? undefined : Number(row['layer_size']),
    origin: row['origin'] === 'made' ? 'made' : 'received',
  };
}

function manifestOf(row: Row): RepositoryManifest {
  const annotations = row['annotations'];
  return {
    digest: row['digest'] as Digest,
    mediaType: row['media_type'] as string,
    size: Number(row['size']),
    artifactType: (row['artifact_type'] as string | null) ?? undefined,
    subject: (row['subject'] as Digest | null) ?? undefined,
    annotations:
      typeof annotations === 'string' ? (JSON.parse(annotations) as Record<string, string>) : undefined,
  };
}
