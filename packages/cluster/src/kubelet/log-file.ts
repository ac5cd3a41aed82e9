import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
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
  #descriptor: number | undefined;
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
  close(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream].length > 0) this.#line(stream, this.#rest[stream], true);
      this.#rest[stream] = Buffer.alloc(0);
    }
    this.#closed = true;
    this.#flush();
    this.#shut();
    this.#appended.emit();
  }

  /** The end of what was printed: so many lines at most, and so many bytes. */
  async lastLines(lines: number, bytes: number): Promise<string> {
    const kept = (await readLog(this.#file))?.lines ?? [];
    const texts = kept.map(({ text, partial }) => `${text}${partial ? '' : '\n'}`);
    const end = Buffer.from(texts.slice(-lines).join(''));
    return end.subarray(Math.max(0, end.length - bytes)).toString('utf8');
  }

  /** Calls back after each addition and at the end. */
  onAppended(listener: () => void): () => void {
    return this.#appended.listen(listener);
  }

  #line(stream: LogStream, text: Buffer, partial: boolean): void {
    const time = new Date(this.#clock.now()).toISOString().replace('Z', '000000Z');
    this.#pending.push(`${time} ${stream} ${partial ? 'P' : 'F'} ${text.toString('utf8')}\n`);
  }

  /** At once, by this thread: what was taken out of a container's pipe would be lost with a daemon that is killed. */
  #flush(): void {
    if (this.#pending.length === 0) return;
    const text = Buffer.from(this.#pending.join(''));
    this.#pending = [];
    try {
      this.#open();
      if (this.#size > 0 && this.#size + text.length > MAX_BYTES) this.#turnOver();
      writeSync(this.#descriptor ?? -1, text);
      this.#size += text.length;
    } catch (error) {
      this.#onError(error);
    }
    this.#appended.emit();
  }

  #open(): void {
    if (this.#descriptor !== undefined) return;
    mkdirSync(path.dirname(this.#file), { recursive: true });
    this.#descriptor = openSync(this.#file, 'a', 0o640);
    // An earlier daemon may have begun it.
    this.#size = fstatSync(this.#descriptor).size;
  }

  #turnOver(): void {
    renameSync(this.#file, olderFile(this.#file));
    this.#shut();
    this.#open();
  }

  #shut(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
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
  const isSame = from?.inode === inode;
  const older = isSame ? Buffer.alloc(0) : await readFrom(olderFile(file), from?.offset ?? 0);
  const start = isSame ? from.offset : 0;
  const news = await readFrom(file, start);
  // What is being written may end anywhere.
  const whole = news.subarray(0, news.lastIndexOf(10) + 1);
  const lines = Buffer.concat([older, whole]).toString('utf8').split('\n').flatMap(parseLine);
  return { lines, position: { inode, offset: start + whole.length } };
}

async function inodeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file from an offset to its end; nothing when there is no such file. */
async function readFrom(file: string, offset: number): Promise<Buffer> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const content = Buffer.alloc(Math.max(0, size - offset));
      const { bytesRead } = await handle.read(content, 0, content.length, offset);
      return content.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
