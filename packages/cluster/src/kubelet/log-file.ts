import { appendFile, mkdir, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, Emitter } from '@updraft/kit';
import type { Clock } from '@updraft/kit';

const MAX_BYTES = 10 * 1024 * 1024;
/** A line longer than this is kept in parts, as every container runtime does. */
const MAX_LINE_BYTES = 16 * 1024;

export type LogStream = 'stdout' | 'stderr';

/** One line as it is kept: when, whence, whole or a part, what. */
export interface LogLine {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stream: LogStream;
  readonly partial: boolean;
  readonly text: string;
}

/**
 * What one container instance has printed: lines with their times, in order of arrival, in one file that is turned
 * over when it gets too large. Losing the disk loses lines, never the container.
 */
export class LogFile {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #rest: Record<LogStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  readonly #appended = new Emitter<void>();
  #pending: string[] = [];
  #writing: Promise<void> | undefined;
  #size = 0;
  #closed = false;

  constructor(file: string, options: { clock: Clock; onError: (error: unknown) => void }) {
    this.#file = file;
    this.#clock = options.clock;
    this.#onError = options.onError;
  }

  get closed(): boolean {
    return this.#closed;
  }

  append(stream: LogStream, chunk: Buffer): void {
    let rest = Buffer.concat([this.#rest[stream], chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#line(stream, rest.subarray(0, end), false);
      rest = rest.subarray(end + 1);
    }
    while (rest.length >= MAX_LINE_BYTES) {
      this.#line(stream, rest.subarray(0, MAX_LINE_BYTES), true);
      rest = rest.subarray(MAX_LINE_BYTES);
    }
    this.#rest[stream] = rest;
    this.#flush();
  }

  /** Writes what is left of unfinished lines; the file stays readable. */
  async close(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream].length > 0) this.#line(stream, this.#rest[stream], true);
      this.#rest[stream] = Buffer.alloc(0);
    }
    this.#closed = true;
    this.#flush();
    await this.written();
    this.#appended.emit();
  }

  /** Resolves when everything appended so far is in the file. */
  async written(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Calls back after each addition and at the end. */
  onAppended(listener: () => void): () => void {
    return this.#appended.listen(listener);
  }

  #line(stream: LogStream, text: Buffer, partial: boolean): void {
    const time = new Date(this.#clock.now()).toISOString().replace('Z', '000000Z');
    this.#pending.push(`${time} ${stream} ${partial ? 'P' : 'F'} ${text.toString('utf8')}\n`);
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      await mkdir(path.dirname(this.#file), { recursive: true });
      while (this.#pending.length > 0) {
        const text = this.#pending.join('');
        this.#pending = [];
        await this.#turnOver(Buffer.byteLength(text));
        await appendFile(this.#file, text, { mode: 0o640 });
        this.#appended.emit();
      }
    } catch (error) {
      this.#pending = [];
      this.#onError(error);
    } finally {
      this.#writing = undefined;
    }
  }

  async #turnOver(bytes: number): Promise<void> {
    if (this.#size > 0 && this.#size + bytes > MAX_BYTES) {
      await rename(this.#file, olderFile(this.#file));
      this.#size = 0;
    }
    this.#size += bytes;
  }
}

const olderFile = (file: string) => `${file}.1`;

const LINE = /^(\S+) (stdout|stderr) ([PF]) (.*)$/s;

function parseLine(line: string): LogLine[] {
  const match = LINE.exec(line);
  if (!match) return [];
  const [, time = '', stream = 'stdout', flag = 'F', text = ''] = match;
  return [{ time, stream: stream as LogStream, partial: flag === 'P', text }];
}

/** Where a reader of a growing log stands. */
export interface LogPosition {
  /** Identity of the file that was read last, so that a turned-over one is noticed. */
  readonly inode: number;
  readonly offset: number;
}

/** The lines after a position (default: all that is kept), and the position after them. undefined: there is no log. */
export async function readLog(
  file: string,
  from?: LogPosition,
): Promise<{ lines: LogLine[]; position: LogPosition } | undefined> {
  const inode = await inodeOf(file);
  if (inode === undefined) return undefined;
  const current = await readFile(file);
  const kept: Buffer[] = [];
  if (!from) kept.push(await readIfPresent(olderFile(file)), current);
  else if (from.inode === inode) kept.push(current.subarray(from.offset));
  else kept.push((await readIfPresent(olderFile(file))).subarray(from.offset), current);
  const lines = Buffer.concat(kept).toString('utf8').split('\n').flatMap(parseLine);
  return { lines, position: { inode, offset: current.length } };
}

async function inodeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function readIfPresent(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
