/** Everything worth knowing of one request, in one line. No bodies and no query: they hold people's addresses. */
export interface RequestLine {
  readonly request_id: string;
  readonly method: string;
  /** The endpoint's pattern; undefined when there is none. */
  readonly route: string | undefined;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly bytes: number;
  readonly ip: string | undefined;
  /** Why it was refused or failed. */
  readonly error?: string;
}

export type Write = (text: string) => void;

const FLUSH_MS = 20;
const FLUSH_LENGTH = 32_768;

const clean = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300);

function pretty(level: string, message: string, fields: object): string {
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`,
    );
  return `${new Date().toISOString().slice(11, 23)} ${level.padEnd(5)} ${message} ${details.join(' ')}\n`;
}

/**
 * The service's log: JSON lines, or readable ones for a terminal. Lines are gathered for a few milliseconds, as a
 * write(2) for each would cost more than the request; `flush` before the process ends.
 */
export class ServiceLog {
  readonly #write: Write;
  readonly #pretty: boolean;
  #pending = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { write: Write; pretty: boolean }) {
    this.#write = options.write;
    this.#pretty = options.pretty;
  }

  request(line: RequestLine): void {
    const level = line.status >= 500 ? 'error' : 'info';
    this.#add(level, 'request', { ...line, path: clean(line.path), ms: Math.round(line.ms * 100) / 100 });
  }

  info(message: string, fields: object = {}): void {
    this.#add('info', message, fields);
  }

  error(message: string, fields: object = {}): void {
    this.#add('error', message, fields);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') this.#write(text);
  }

  #add(level: string, message: string, fields: object): void {
    this.#pending += this.#pretty
      ? pretty(level, message, fields)
      : `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`;
    if (this.#pending.length > FLUSH_LENGTH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }
}
