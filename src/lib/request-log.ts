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
  readonly error?: string | undefined;
}

export type Write = (text: string) => void;

const FLUSH_MS = 20;
const FLUSH_LENGTH = 32_768;

/** What clients choose freely: no control characters, and not for ever. */
const clean = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300);
const PLAIN = /^[\w/.-]{1,300}$/;

/** Many lines fall into one second: only their milliseconds differ. */
let lastSecond = 0;
let lastTime = '';
function timestamp(): string {
  const now = Date.now();
  const ms = now % 1000;
  if (now - ms !== lastSecond) {
    lastSecond = now - ms;
    lastTime = new Date(lastSecond).toISOString().slice(0, 20);
  }
  return `${lastTime}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}

const round = (ms: number) => Math.round(ms * 100) / 100;
const levelOf = ({ status }: RequestLine) => (status >= 500 ? 'error' : 'info');

/**
 * As JSON.stringify would write it, at a third of its cost: there is one for every request. Ids, methods, routes and
 * addresses hold nothing that JSON would escape; what a client may choose freely is quoted by JSON itself.
 */
function requestJson(line: RequestLine): string {
  const { request_id, method, route, path, status, ms, bytes, ip, error } = line;
  const shownRoute = route === undefined ? '' : `"route":"${route}",`;
  const shownPath = PLAIN.test(path) ? `"${path}"` : JSON.stringify(clean(path));
  const shownIp = ip === undefined ? '' : `,"ip":"${ip}"`;
  const shownError = error === undefined ? '' : `,"error":${JSON.stringify(error)}`;
  return (
    `{"time":"${timestamp()}","level":"${levelOf(line)}","message":"request","request_id":"${request_id}",` +
    `"method":"${method}",${shownRoute}"path":${shownPath},"status":${status},"ms":${round(ms)},` +
    `"bytes":${bytes}${shownIp}${shownError}}\n`
  );
}

function pretty(level: string, message: string, fields: object): string {
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`,
    );
  return `${timestamp().slice(11, 23)} ${level.padEnd(5)} ${message} ${details.join(' ')}\n`;
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
    if (!this.#pretty) return this.#append(requestJson(line));
    const shown = { ...line, path: clean(line.path), ms: round(line.ms) };
    this.#append(pretty(levelOf(line), 'request', shown));
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
    this.#append(
      this.#pretty
        ? pretty(level, message, fields)
        : `${JSON.stringify({ time: timestamp(), level, message, ...fields })}\n`,
    );
  }

  #append(line: string): void {
    this.#pending += line;
    if (this.#pending.length > FLUSH_LENGTH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }
}
