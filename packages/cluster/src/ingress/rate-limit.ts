import type { Clock } from '@updraft/kit';
import type { Limit } from './settings.ts';

/** More clients than this are not remembered: then the oldest are forgotten, and begin anew. */
const MOST_CLIENTS = 10_000;

/** Counts requests of each client and route: so many a second on average, and a burst beyond it. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { level: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False: too many. */
  admits(key: string, { perSecond, burst }: Limit): boolean {
    const atMs = this.#clock.elapsed();
    const before = this.#buckets.get(key) ?? { level: 0, atMs };
    const level = Math.max(0, before.level - ((atMs - before.atMs) / 1000) * perSecond);
    const admitted = level <= burst;
    this.#buckets.delete(key);
    this.#buckets.set(key, { level: admitted ? level + 1 : level, atMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MOST_CLIENTS && oldest !== undefined) this.#buckets.delete(oldest);
    return admitted;
  }
}
