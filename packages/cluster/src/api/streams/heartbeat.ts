import type { Clock } from '@updraft/kit';

const EVERY_MS = 5000;

/**
 * Who does not read from a connection does not learn that its other end has gone. While one is held up, something is
 * said now and then: that fails when nobody is there, and the connection ends.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #say: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, say: () => void) {
    this.#clock = clock;
    this.#say = say;
  }

  /** The connection is held up from here on. */
  begin(): void {
    this.#cancel ??= this.#wait();
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): () => void {
    return this.#clock.timer(EVERY_MS, () => {
      this.#cancel = this.#wait();
      this.#say();
    });
  }
}
