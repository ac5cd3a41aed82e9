import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { openDatabase, timestamp } from '@updraft/kit';
import type { Clock, Database } from '@updraft/kit';
import { ClusterFault } from '../fault.ts';
import { Feed } from './feed.ts';
import { keepText } from './text.ts';
import type { KubeObject, ResourceName, ResourceStore, WatchEvent } from './types.ts';

export interface ResourceStoreOptions {
  /** Path of the database, or `:memory:`. */
  readonly file: string;
  readonly clock: Clock;
  /** How many past events a watch can be resumed from. Default 4096. */
  readonly historySize?: number;
  /** Hears what a watch listener threw; the write that caused it stands. Default: nobody. */
  readonly onListenerError?: (error: unknown) => void;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (resource, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO revision VALUES (1, 1);
`;

/** Larger than a Secret of a MiB with everything that may be around it. */
const MAX_OBJECT_CHARACTERS = 3 * 1024 * 1024;

const PUT = 'INSERT INTO objects VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body';
const DELETE = 'DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?';
const COUNT = 'UPDATE revision SET value = ? WHERE id = 1';

interface Shelf {
  readonly objects: Map<string, KubeObject>;
  /** In order of namespace and name; undefined until somebody asks for it. Never changed, only replaced. */
  ordered: readonly KubeObject[] | undefined;
}

/**
 * Opens the cluster's memory. Everything is held in memory and written through; after a crash the next call finds
 * every write that had returned. One process only.
 * @throws Fault DATABASE_UNUSABLE
 */
export function openResourceStore(options: ResourceStoreOptions): ResourceStore {
  const database = openDatabase(options.file);
  database.script(SCHEMA);
  return new SqliteResourceStore(database, options);
}

class SqliteResourceStore implements ResourceStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #feed: Feed;
  readonly #shelves = new Map<ResourceName, Shelf>();
  #revision: number;

  constructor(database: Database, options: ResourceStoreOptions) {
    this.#database = database;
    this.#clock = options.clock;
    this.#revision = this.#load();
    this.#feed = new Feed({
      size: options.historySize ?? 4096,
      startRevision: this.#revision,
      onListenerError: options.onListenerError ?? (() => undefined),
    });
  }

  /** Reads everything. The revision is that of the last deletion, or of an object written since. */
  #load(): number {
    let revision = Number(this.#database.first('SELECT value FROM revision')?.['value'] ?? 1);
    for (const row of this.#database.all('SELECT resource, namespace, name, body FROM objects')) {
      const object = frozen(String(row['body']));
      const { namespace, resourceVersion } = object.metadata;
      this.#shelf(String(row['resource'])).objects.set(keyOf(namespace, String(row['name'])), object);
      revision = Math.max(revision, Number(resourceVersion));
    }
    return revision;
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: ResourceName, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#shelves.get(resource)?.objects.get(keyOf(namespace, name));
  }

  list(resource: ResourceName, namespace?: string): readonly KubeObject[] {
    const shelf = this.#shelves.get(resource);
    if (!shelf) return [];
    shelf.ordered ??= [...shelf.objects.values()].toSorted(byNamespaceAndName);
    if (namespace === undefined) return shelf.ordered;
    return shelf.ordered.filter((object) => object.metadata.namespace === namespace);
  }

  create(resource: ResourceName, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    if (this.get(resource, namespace, name)) {
      throw new ClusterFault('ALREADY_EXISTS', `${resource} "${name}" already exists`);
    }
    const metadata = {
      ...object.metadata,
      uid: object.metadata.uid || randomUUID(),
      creationTimestamp: timestamp(this.#clock.now()),
    };
    return this.#put(resource, { ...object, metadata }, undefined);
  }

  update(resource: ResourceName, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    const stored = this.#existing(resource, namespace, name);
    const expected = object.metadata.resourceVersion;
    if (expected && expected !== stored.metadata.resourceVersion) {
      throw new ClusterFault('CONFLICT', `${resource} "${name}" has changed since revision ${expected}`);
    }
    const { uid, creationTimestamp, resourceVersion } = stored.metadata;
    const next = { ...object, metadata: { ...object.metadata, uid, creationTimestamp, resourceVersion } };
    // Compared as it would be stored: `undefined` members vanish there.
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(next)), stored)) return stored;
    return this.#put(resource, next, stored);
  }

  modify(
    resource: ResourceName,
    namespace: string | undefined,
    name: string,
    change: (object: KubeObject) => KubeObject | undefined,
  ): KubeObject | undefined {
    for (;;) {
      const stored = this.get(resource, namespace, name);
      const changed = stored && change(structuredClone(stored));
      if (!stored || !changed) return stored;
      // `change` may itself have written: then it was given an object that is no longer the stored one.
      if (this.get(resource, namespace, name) !== stored) continue;
      return this.update(resource, changed);
    }
  }

  remove(resource: ResourceName, namespace: string | undefined, name: string): KubeObject {
    const stored = this.#existing(resource, namespace, name);
    const revision = this.#revision + 1;
    this.#database.transaction(() => {
      this.#database.write(DELETE, resource, namespace ?? '', name);
      this.#database.write(COUNT, revision);
    });
    this.#revision = revision;
    const shelf = this.#shelf(resource);
    shelf.objects.delete(keyOf(namespace, name));
    shelf.ordered &&= shelf.ordered.toSpliced(placeOf(shelf.ordered, stored), 1);
    const object = withRevision(stored, revision);
    this.#feed.publish({ type: 'DELETED', resource, object, previous: stored, revision });
    return object;
  }

  watch(listener: (event: WatchEvent) => void, fromRevision?: number): () => void {
    return this.#feed.watch(listener, fromRevision);
  }

  close(): void {
    this.#feed.close();
    this.#database.close();
  }

  #put(resource: ResourceName, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const revision = this.#revision + 1;
    const { namespace, name } = object.metadata;
    const body = JSON.stringify({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(revision) },
    });
    if (body.length > MAX_OBJECT_CHARACTERS) {
      throw new ClusterFault('TOO_LARGE', `${resource} "${name}" would have ${body.length} characters`);
    }
    // Made before it is written: what cannot be read again must not be found at the next start.
    const stored = frozen(body);
    // The body tells the revision: one statement is all there is to commit.
    this.#database.write(PUT, resource, namespace ?? '', name, body);
    this.#revision = revision;
    const shelf = this.#shelf(resource);
    shelf.objects.set(keyOf(namespace, name), stored);
    shelf.ordered &&= placed(shelf.ordered, stored, previous === undefined ? 0 : 1);
    const type = previous ? 'MODIFIED' : 'ADDED';
    this.#feed.publish({ type, resource, object: stored, previous, revision });
    return stored;
  }

  #existing(resource: ResourceName, namespace: string | undefined, name: string): KubeObject {
    const stored = this.get(resource, namespace, name);
    if (!stored) throw new ClusterFault('NOT_FOUND', `${resource} "${name}" not found`);
    return stored;
  }

  #shelf(resource: ResourceName): Shelf {
    let shelf = this.#shelves.get(resource);
    if (!shelf) {
      shelf = { objects: new Map(), ordered: undefined };
      this.#shelves.set(resource, shelf);
    }
    return shelf;
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/** Where the object stands, or would stand. */
function placeOf(list: readonly KubeObject[], object: KubeObject): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = list[middle];
    if (other && byNamespaceAndName(other, object) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function placed(list: readonly KubeObject[], object: KubeObject, replaces: 0 | 1): readonly KubeObject[] {
  return list.toSpliced(placeOf(list, object), replaces, object);
}

function byNamespaceAndName(a: KubeObject, b: KubeObject): number {
  return (
    compare(a.metadata.namespace ?? '', b.metadata.namespace ?? '') ||
    compare(a.metadata.name, b.metadata.name)
  );
}

/** By code unit, as etcd orders keys: never by locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function withRevision(object: KubeObject, revision: number): KubeObject {
  const metadata = Object.freeze({ ...object.metadata, resourceVersion: String(revision) });
  return Object.freeze({ ...object, metadata });
}

function frozen(body: string): KubeObject {
  const object = deepFreeze(JSON.parse(body)) as KubeObject;
  keepText(object, body);
  return object;
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
