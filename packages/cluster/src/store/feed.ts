import { ClusterFault } from '../fault.ts';
import type { WatchEvent } from './types.ts';

export interface FeedOptions {
  readonly size: number;
  readonly startRevision: number;
  readonly onListenerError: (error: unknown) => void;
}

interface Listener {
  readonly hear: (event: WatchEvent) => void;
  /** The last revision this listener knows: events up to it are not told again. */
  seen: number;
}

/**
 * Past and coming events, in order. A listener may write to the store while it hears of an event: the event of that
 * write waits until every listener has heard the present one.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<Listener>();
  readonly #pending: WatchEvent[] = [];
  #history: WatchEvent[] = [];
  /** Events up to this revision are forgotten. */
  #compacted: number;
  #telling = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#compacted = options.startRevision;
  }

  publish(event: WatchEvent): void {
    this.#history.push(event);
    // Cut in halves, so that forgetting costs nothing per event.
    if (this.#history.length >= this.#options.size * 2) {
      const forgotten = this.#history.length - this.#options.size;
      this.#compacted = this.#history[forgotten - 1]?.revision ?? this.#compacted;
      this.#history = this.#history.slice(forgotten);
    }
    this.#pending.push(event);
    if (!this.#telling) this.#tell();
  }

  watch(hear: (event: WatchEvent) => void, fromRevision?: number): () => void {
    const last = this.#history.at(-1)?.revision ?? this.#compacted;
    if (fromRevision !== undefined && fromRevision < this.#compacted) {
      throw new ClusterFault('EXPIRED', `too old resource version: ${fromRevision} (${this.#compacted})`);
    }
    const listener: Listener = { hear, seen: fromRevision ?? last };
    if (fromRevision !== undefined) {
      for (const event of this.#since(fromRevision)) this.#deliver(listener, event);
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#pending.length = 0;
  }

  #tell(): void {
    this.#telling = true;
    try {
      for (let event = this.#pending.shift(); event; event = this.#pending.shift()) {
        for (const listener of this.#listeners) this.#deliver(listener, event);
      }
    } finally {
      this.#telling = false;
    }
  }

  #deliver(listener: Listener, event: WatchEvent): void {
    if (event.revision <= listener.seen) return;
    listener.seen = event.revision;
    try {
      listener.hear(event);
    } catch (error) {
      this.#options.onListenerError(error);
    }
  }

  /** Each event has a revision of its own, so the place of one is found by counting back from the last. */
  #since(revision: number): WatchEvent[] {
    const last = this.#history.at(-1)?.revision;
    if (last === undefined || revision >= last) return [];
    return this.#history.slice(Math.max(0, this.#history.length - (last - revision)));
  }
}
