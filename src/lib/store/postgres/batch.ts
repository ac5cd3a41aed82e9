interface Call<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchOptions<T, R> {
  /** One statement for all of them: their results in the same order. When it fails, it fails for each. */
  readonly run: (items: readonly T[]) => Promise<readonly R[]>;
  /** How many statements may be on their way; further calls wait together for one of them to end. */
  readonly lanes: number;
  /** Of one statement, as far as that takes more than one call. */
  readonly maxWeight: number;
  readonly weightOf: (item: T) => number;
  /** Errors after which those who still wait need not try: they fail with it too. */
  readonly endsWaiting: (error: unknown) => boolean;
}

/**
 * Makes one statement of calls that come together: a round trip, a parse and a commit for all of them. A call is only
 * ever part of a statement that is sent after it came, so it sees everything that was acknowledged before.
 */
export class Batch<T, R> {
  readonly #options: BatchOptions<T, R>;
  #waiting: Call<T, R>[] = [];
  #running = 0;
  #scheduled = false;

  constructor(options: BatchOptions<T, R>) {
    this.#options = options;
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** After everything that has arrived until now has been read. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#options.lanes) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running < this.#options.lanes) void this.#run(this.#take());
    });
  }

  #take(): readonly Call<T, R>[] {
    const { maxWeight, weightOf } = this.#options;
    let weight = 0;
    const first = this.#waiting.findIndex(({ item }, at) => (weight += weightOf(item)) > maxWeight && at > 0);
    return this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
  }

  async #run(calls: readonly Call<T, R>[]): Promise<void> {
    this.#running += 1;
    try {
      const results = await this.#options.run(calls.map(({ item }) => item));
      calls.forEach(({ resolve }, at) => resolve(results[at] as R));
    } catch (error) {
      const waiting = this.#options.endsWaiting(error) ? this.#waiting.splice(0) : [];
      for (const { reject } of [...calls, ...waiting]) reject(error);
    } finally {
      this.#running -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
