/**
 * Notes what is asked for or written, so that a prune at the same moment leaves it alone. What is touched has a name: a
 * blob its digest, the folder of a layer its own.
 */
export class Touches {
  readonly #lately = new Set<string>();
  readonly #watches = new Set<Set<string>>();

  note(name: string): void {
    this.#lately.add(name);
    for (const touched of this.#watches) touched.add(name);
  }

  /** What was touched since `forget`. */
  lately(): ReadonlySet<string> {
    return this.#lately;
  }

  /** Nothing is going on that could still want what it has asked for. */
  forget(): void {
    this.#lately.clear();
  }

  /** `work` gets a set that grows with everything that is touched while it runs. */
  async watch<T>(work: (touched: ReadonlySet<string>) => Promise<T>): Promise<T> {
    const touched = new Set<string>();
    this.#watches.add(touched);
    try {
      return await work(touched);
    } finally {
      this.#watches.delete(touched);
    }
  }
}
