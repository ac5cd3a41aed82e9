import { getHeapStatistics } from 'node:v8';
import type { Soon } from '../soon.ts';
import { newId } from './new-id.ts';
import {
  ONCE_MS,
  StoreFull,
  joinEntries,
  pageOf,
  type Accept,
  type Creation,
  type Listing,
  type Once,
  type Page,
  type Store,
  type WriteOutcome,
} from './store.ts';

interface Remembered {
  readonly fingerprint: string;
  readonly id: string;
  readonly at: number;
}

export interface MemoryLimits {
  readonly maxEntries?: number | undefined;
  /** Of their texts together. A list is one text of all of them and must fit beside them. */
  readonly maxLength?: number | undefined;
}

/** Below the longest string that there can be, for the list; in a small container, what leaves room to work. */
const DEFAULT_MAX_LENGTH = Math.min(getHeapStatistics().heap_size_limit / 4, 400_000_000);
/** Keys are small beside entries. */
const MAX_KEYS = 100_000;

/** Entries of this process alone: gone when it ends, unknown to its replicas. */
export class MemoryStore implements Store {
  readonly description = 'memory (this process only)';
  readonly #entries = new Map<string, string>();
  /** Keys of creates, oldest first. */
  readonly #keys = new Map<string, Remembered>();
  readonly #maxEntries: number;
  readonly #maxLength: number;
  /** Of all texts together. */
  #length = 0;
  /** Kept until the next write, so that reading a long list again costs nothing. */
  #listing: Listing | undefined;

  constructor({ maxEntries = Infinity, maxLength = DEFAULT_MAX_LENGTH }: MemoryLimits) {
    this.#maxEntries = maxEntries;
    this.#maxLength = maxLength;
  }

  async open(): Promise<void> {}

  async ping(): Promise<void> {}

  async create(text: string): Promise<string> {
    return this.#add(text);
  }

  #add(text: string): string {
    if (this.#entries.size >= this.#maxEntries) throw new StoreFull(`${this.#maxEntries} entries are stored`);
    const id = newId();
    this.#put(id, text);
    return id;
  }

  #put(id: string, text: string): void {
    const length = this.#length + text.length - (this.#entries.get(id)?.length ?? 0);
    if (length > this.#maxLength) throw new StoreFull(`there is room for ${this.#maxLength} characters`);
    this.#length = length;
    this.#entries.set(id, text);
    this.#listing = undefined;
  }

  async createOnce(text: string, { key, fingerprint }: Once): Promise<Creation> {
    this.#forgetOld();
    const known = this.#keys.get(key);
    if (known)
      return known.fingerprint === fingerprint ? { kind: 'repeated', id: known.id } : { kind: 'conflict' };
    const id = this.#add(text);
    this.#keys.set(key, { fingerprint, id, at: Date.now() });
    return { kind: 'created', id };
  }

  get(id: string): Soon<string | undefined> {
    return this.#entries.get(id);
  }

  async replace(id: string, text: string, accept?: Accept): Promise<WriteOutcome> {
    return this.#write(id, accept, () => this.#put(id, text));
  }

  async remove(id: string, accept?: Accept): Promise<WriteOutcome> {
    return this.#write(id, accept, (current) => {
      this.#entries.delete(id);
      this.#length -= current.length;
      this.#listing = undefined;
    });
  }

  list(): Soon<Listing> {
    this.#listing ??= { text: joinEntries(this.#entries), unreadable: [] };
    return this.#listing;
  }

  async page({ after, limit }: { after: string; limit: number }): Promise<Page> {
    const ids = [...this.#entries.keys()].filter((id) => id > after).toSorted();
    const entries = ids.slice(0, limit + 1).map((id) => [id, this.#entries.get(id) ?? ''] as const);
    return pageOf(entries, limit);
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#length = 0;
    this.#keys.clear();
    this.#listing = undefined;
  }

  #write(id: string, accept: Accept | undefined, change: (current: string) => void): WriteOutcome {
    const current = this.#entries.get(id);
    if (current === undefined) return 'absent';
    if (accept !== undefined && !accept(current)) return 'refused';
    change(current);
    return 'done';
  }

  #forgetOld(): void {
    for (const [key, { at }] of this.#keys) {
      if (Date.now() - at < ONCE_MS && this.#keys.size < MAX_KEYS) return;
      this.#keys.delete(key);
    }
  }
}
