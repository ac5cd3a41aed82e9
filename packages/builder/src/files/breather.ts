import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@updraft/kit';

/** Longer than this nobody else in the process has to wait. */
const TURN_MS = 8;

/**
 * For work over many small files: synchronous calls are ten times cheaper than asynchronous ones there, so the work is done
 * in turns, and between turns everything else goes on.
 */
export class Breather {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.elapsed();
  }

  /** Whether others have waited long enough. */
  isDue(): boolean {
    return this.#clock.elapsed() - this.#since >= TURN_MS;
  }

  /** To be awaited after each small piece of work; where there are thousands of them, only if it is due. */
  async breathe(): Promise<void> {
    if (!this.isDue()) return;
    await setImmediate();
    this.#since = this.#clock.elapsed();
  }
}
