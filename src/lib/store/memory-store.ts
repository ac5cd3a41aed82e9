import { randomBytes } from 'node:crypto';
import { StoreFull, joinEntries, type Accept, type Listing, type Store, type WriteOutcome } from './store.ts';

/** Entries of this process alone: gone when it ends, unknown to its replicas. */
export class MemoryStore implements Store {
  readonly description = 'memory (this process only)';
  readonly #entries = new Map<string, string>();
  readonly #maxEntries: number;
  /** Kept until the next write, so that reading a long list again costs nothing. */
  #listing: Listing | undefined;

  constructor(options: { maxEntries: number }) {
    this.#maxEntries = options.maxEntries;
  }

  async open(): Promise<void> {}

  async ping(): Promise<void> {}

  async create(text: string): Promise<string> {
    if (this.#entries.size >= this.#maxEntries) throw new StoreFull(`${this.#maxEntries} entries are stored`);
    const id = randomBytes(16).toString('hex');
    this.#entries.set(id, text);
    this.#listing = undefined;
    return id;
  }

  async get(id: string): Promise<string | undefined> {
    return this.#entries.get(id);
  }

  async replace(id: string, text: string, accept?: Accept): Promise<WriteOutcome> {
    return this.#write(id, accept, () => this.#entries.set(id, text));
  }

  async remove(id: string, accept?: Accept): Promise<WriteOutcome> {
    return this.#write(id, accept, () => this.#entries.delete(id));
  }

  async list(): Promise<Listing> {
    this.#listing ??= { text: joinEntries(this.#entries), unreadable: [] };
    return this.#listing;
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#listing = undefined;
  }

  #write(id: string, accept: Accept | undefined, change: () => void): WriteOutcome {
    const current = this.#entries.get(id);
    if (current === undefined) return 'absent';
    if (accept !== undefined && !accept(current)) return 'refused';
    change();
    this.#listing = undefined;
    return 'done';
  }
}
