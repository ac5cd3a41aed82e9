import type { Clock } from '@updraft/kit';
import { Awaiting } from '../api/webhooks/awaiting.ts';

/** What a reconciliation asks for: nothing more, or to be called again after a while. */
export type Again = { readonly afterMs: number } | void;

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly reconcile: (key: string) => Again | Promise<Again>;
  readonly onError: (key: string, error: unknown) => void;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 60_000;
/** After so much work in one go everybody else gets a turn. */
const SLICE_MS = 10;
/** A key that comes back more often than this in a window answers itself, or somebody answers it: it is slowed down. */
const MOST_RUNS = 500;
const WINDOW_MS = 10_000;
const SLOWED_MS = 500;

/**
 * Keys to be looked at, each at most once at a time and never two side by side. A key that is added while it is being
 * looked at is looked at again. A failure is retried with a growing pause, which a success resets. Two that undo each
 * other's work go on doing so, but neither fast nor alone.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #ready = new Set<string>();
  readonly #timers = new Map<string, { dueAt: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #runs = new Map<string, number>();
  #windowMs = 0;
  #draining: Promise<void> | undefined;
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (this.#runsOf(key) >= MOST_RUNS) return this.addAfter(key, SLOWED_MS);
    this.#take(key);
  }

  #take(key: string): void {
    this.#ready.add(key);
    this.#draining ??= this.#drain();
  }

  /** Adds the key later; of several times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    const dueAt = this.#options.clock.elapsed() + ms;
    const planned = this.#timers.get(key);
    if (planned && planned.dueAt <= dueAt) return;
    planned?.cancel();
    const cancel = this.#options.clock.timer(ms, () => {
      this.#timers.delete(key);
      this.#take(key);
    });
    this.#timers.set(key, { dueAt, cancel });
  }

  /** Resolves when nothing is waiting or being looked at now; keys planned for later do not count. */
  async idle(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  /** Takes no more keys; resolves when the one in hand is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.clear();
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.idle();
  }

  async #drain(): Promise<void> {
    // Listeners add keys while the store is still telling others: start after them, and let input and output through.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const { clock } = this.#options;
    let sliceMs = clock.elapsed();
    for (let key = this.#next(); key !== undefined; key = this.#next()) {
      this.#runs.set(key, this.#runsOf(key) + 1);
      await this.#process(key);
      if (clock.elapsed() - sliceMs < SLICE_MS) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      sliceMs = clock.elapsed();
    }
    this.#draining = undefined;
  }

  /** How often the key was looked at in the present window. */
  #runsOf(key: string): number {
    const nowMs = this.#options.clock.elapsed();
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#runs.clear();
    }
    return this.#runs.get(key) ?? 0;
  }

  #next(): string | undefined {
    const { value } = this.#ready.values().next();
    if (value !== undefined) this.#ready.delete(value);
    return value;
  }

  async #process(key: string): Promise<void> {
    try {
      const again = await this.#options.reconcile(key);
      this.#failures.delete(key);
      if (again) this.addAfter(key, again.afterMs);
    } catch (error) {
      // Others go on meanwhile, however long it takes.
      if (error instanceof Awaiting) return void error.settled.then(() => this.add(key));
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.#options.onError(key, error);
      this.addAfter(key, Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS));
    }
  }
}
