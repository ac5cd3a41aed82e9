import { Masker } from './masking.ts';

/** Keeps the end of a log for `coverage:`, and as much of the whole as GitLab keeps. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/** A job's log on its way out: masked, counted, cut at GitLab's limit with a line that says so. */
export class JobLog {
  readonly #write: (text: string) => void;
  readonly #decoder = new TextDecoder();
  #masker: Masker;
  #size = 0;
  #text = '';

  constructor(secrets: readonly string[], write: (text: string) => void) {
    this.#masker = new Masker(secrets);
    this.#write = write;
  }

  /** Secrets that became known later (dotenv values, a token); earlier text stays as it is. */
  addSecrets(secrets: readonly string[]): void {
    this.flush();
    this.#masker = new Masker(secrets);
  }

  bytes(chunk: Buffer): void {
    this.#push(this.#masker.push(this.#decoder.decode(chunk, { stream: true })));
  }

  /** A line of the runner's own. */
  line(text: string): void {
    this.#push(this.#masker.push(`${text}\n`));
  }

  flush(): void {
    this.#push(this.#masker.end());
  }

  /** What was written so far. */
  get text(): string {
    return this.#text;
  }

  #push(text: string): void {
    if (text === '' || this.#size > LIMIT_BYTES) return;
    this.#size += Buffer.byteLength(text);
    const last = this.#size > LIMIT_BYTES;
    const shown = last
      ? `\nThe job's log exceeded the limit of ${LIMIT_BYTES} bytes; what follows is not kept.\n`
      : text;
    this.#text += shown;
    this.#write(shown);
  }
}
