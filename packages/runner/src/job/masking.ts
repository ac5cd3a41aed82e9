const MASK = '[MASKED]';

/** GitLab's least length for a masked value; shorter ones would tear every log apart. */
const SHORTEST = 8;

/**
 * Takes secret values out of a stream of text, also where a value is cut in two by a chunk's end.
 * `push` gives what is safe to show; `end` the rest.
 */
export class Masker {
  readonly #secrets: readonly string[];
  #kept = '';

  constructor(secrets: readonly string[]) {
    const lines = secrets.flatMap((secret) => [secret, ...secret.split('\n')]);
    const long = lines.map((line) => line.trim()).filter((line) => line.length >= SHORTEST);
    this.#secrets = [...new Set(long)].toSorted((a, b) => b.length - a.length);
  }

  push(text: string): string {
    const masked = this.#mask(this.#kept + text);
    const keep = this.#possibleStart(masked);
    this.#kept = keep === 0 ? '' : masked.slice(-keep);
    return keep === 0 ? masked : masked.slice(0, -keep);
  }

  end(): string {
    const rest = this.#kept;
    this.#kept = '';
    return rest;
  }

  #mask(text: string): string {
    let masked = text;
    for (const secret of this.#secrets) masked = masked.replaceAll(secret, MASK);
    return masked;
  }

  /** Length of the longest end of `text` that a secret begins with. */
  #possibleStart(text: string): number {
    let longest = 0;
    for (const secret of this.#secrets) {
      for (let length = Math.min(secret.length - 1, text.length); length > longest; length -= 1) {
        if (text.endsWith(secret.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
