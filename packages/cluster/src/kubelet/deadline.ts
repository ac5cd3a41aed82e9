import type { Clock } from '@updraft/kit';
import type { Pod } from '../kinds/pod.ts';

/** Ends a pod that has been active for as long as it may; how long that is may change meanwhile. */
export class Deadline {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #onReached: () => void;
  #isRunning = false;
  #seconds: number | undefined;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, startedMs: number, onReached: () => void) {
    this.#clock = clock;
    this.#startedMs = startedMs;
    this.#onReached = onReached;
  }

  start(pod: Pod): void {
    this.#isRunning = true;
    this.follow(pod);
  }

  follow({ spec: { activeDeadlineSeconds: seconds } }: Pod): void {
    if (!this.#isRunning || seconds === this.#seconds) return;
    this.#cancel();
    this.#seconds = seconds;
    if (seconds === undefined) return;
    const leftMs = this.#startedMs + seconds * 1000 - this.#clock.now();
    this.#cancel = this.#clock.timer(Math.max(0, leftMs), this.#onReached);
  }

  end(): void {
    this.#isRunning = false;
    this.#cancel();
  }
}
