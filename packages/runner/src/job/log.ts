import { Masker } from './masking.ts';
import { SectionFilter } from './sections.ts';

/** As much of a log as GitLab keeps. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/** A job's log on its way out: masked, without section markers, cut at GitLab's limit with a line that says so. */
export class JobLog {
  readonly #write: (text: string) => void;
  readonly #sections = new SectionFilter();
  #decoder = new TextDecoder();
  #secrets: readonly string[];
  #masker: Masker;
  #size = 0;
  #text = '';
  #lineOpen = false;

  constructor(secrets: readonly string[], write: (text: string) => void) {
    this.#secrets = secrets;
    this.#masker = new Masker(secrets);
    this.#write = write;
  }

  /** Secrets that became known later (dotenv values, a token); earlier text stays as it is. */
  addSecrets(secrets: readonly string[]): void {
    this.flush();
    this.#secrets = [...this.#secrets, ...secrets];
    this.#masker = new Masker(this.#secrets);
  }

  bytes(chunk: Buffer): void {
    this.#push(this.#filter(this.#decoder.decode(chunk, { stream: true })));
  }

  /** A line of the runner's own; it begins a new line whatever the script printed last. */
  line(text: string): void {
    this.flush();
    const start = this.#lineOpen ? '\n' : '';
    this.#push(new Masker(this.#secrets).push(`${start}${text}\n`));
  }

  warning(text: string): void {
    this.line(`WARNING: ${text}`);
  }

  flush(): void {
    const rest = this.#filter(this.#decoder.decode());
    this.#decoder = new TextDecoder();
    this.#push(rest + this.#masker.push(this.#sections.end()) + this.#masker.end());
  }

  /** What was written so far. */
  get text(): string {
    return this.#text;
  }

  readonly #filter = (text: string): string => this.#masker.push(this.#sections.push(text));

  #push(text: string): void {
    if (text === '' || this.#size > LIMIT_BYTES) return;
    this.#lineOpen = !text.endsWith('\n');
    this.#size += Buffer.byteLength(text);
    const last = this.#size > LIMIT_BYTES;
    const shown = last
      ? `\nThe job's log exceeded the limit of ${LIMIT_BYTES} bytes; what follows is not kept.\n`
      : text;
    this.#text += shown;
    this.#write(shown);
  }
}
