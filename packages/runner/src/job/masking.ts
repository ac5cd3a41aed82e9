const MASK = '[MASKED]';

/** GitLab's least length for a masked value; shorter ones would tear every log apart. */
const SHORTEST = 8;

/**
 * Takes secret values out of a stream of text, also where a value is cut in two by a chunk's end.
 * `push` gives what is safe to show; `end` the rest.
 */
export class Masker {
  /** By how they begin: as many characters as the shortest has. */
  readonly #secrets = new Map<string, string[]>();
  readonly #pattern: RegExp | undefined;
  readonly #longest: number;
  #kept = '';

  constructor(secrets: readonly string[]) {
    const lines = secrets.flatMap((secret) => secret.split('\n'));
    const long = lines.map((line) => line.trim()).filter((line) => line.length >= SHORTEST);
    // Longest first: where two begin at the same place the longer one is hidden.
    const all = [...new Set(long)].toSorted((a, b) => b.length - a.length);
    for (const secret of all) {
      const start = secret.slice(0, SHORTEST);
      this.#secrets.set(start, [...(this.#secrets.get(start) ?? []), secret]);
    }
    this.#longest = all[0]?.length ?? 0;
    if (this.#longest > 0) this.#pattern = new RegExp(all.map(escaped).join('|'), 'g');
  }

  push(text: string): string {
    if (!this.#pattern) return text;
    const all = this.#kept + text;
    let shown = '';
    let at = 0;
    let hold = this.#possibleStart(all, 0);
    for (;;) {
      if (hold < at) hold = this.#possibleStart(all, at);
      this.#pattern.lastIndex = at;
      const match = this.#pattern.exec(all);
      // A secret that may only be half there, and begins no later, has to be waited for.
      if (!match || match.index >= hold) {
        this.#kept = all.slice(hold);
        return shown + all.slice(at, hold);
      }
      shown += all.slice(at, match.index) + MASK;
      at = match.index + match[0].length;
    }
  }

  end(): string {
    const rest = this.#kept;
    this.#kept = '';
    return this.#pattern ? rest.replaceAll(this.#pattern, MASK) : rest;
  }

  /** The first place at or after `from` where the rest of `text` is the beginning of a secret, not all of it. */
  #possibleStart(text: string, from: number): number {
    const first = Math.max(from, text.length - this.#longest + 1);
    for (let at = first; at < text.length; at += 1) {
      if (this.#mayBegin(text.slice(at))) return at;
    }
    return text.length;
  }

  #mayBegin(rest: string): boolean {
    if (rest.length < SHORTEST) return [...this.#secrets.keys()].some((start) => start.startsWith(rest));
    const secrets = this.#secrets.get(rest.slice(0, SHORTEST));
    return secrets?.some((secret) => secret.length > rest.length && secret.startsWith(rest)) ?? false;
  }
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
