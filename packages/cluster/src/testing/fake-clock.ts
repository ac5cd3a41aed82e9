import type { Clock } from '@updraft/kit';

interface Timer {
  readonly dueAt: number;
  readonly fire: () => void;
}

const START = Date.parse('2026-01-01T00:00:00Z');
/** Turns of the event loop that a step gives to what it has set off. */
const SETTLING_TURNS = 20;

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return START + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  timer(ms: number, fire: () => void): () => void {
    const timer = { dueAt: this.#elapsed + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const cancel = this.timer(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      const abort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** How many timers wait: zero means nobody would ever wake up by itself. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer, with room for what each sets off. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.dueAt);
      next.fire();
      await settle();
    }
    this.#elapsed = end;
    await settle();
  }

  #next(end: number): Timer | undefined {
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= end);
    return due.toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }
}

/** Lets everything run that needs no time to pass. */
export async function settle(turns = SETTLING_TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
