import { Readable } from 'node:stream';
import type { LogOptions } from '../api/ports.ts';
import { readLog } from './log-file.ts';
import type { LogFile, LogLine, LogPosition } from './log-file.ts';

type Shape = Pick<LogOptions, 'timestamps' | 'tailLines' | 'sinceMs' | 'limitBytes' | 'follow'>;

/**
 * The log of one container instance as `kubectl logs` wants it. `live` is given while the container runs; following
 * ends with it, or when the reader is destroyed.
 */
export function logReader(file: string, live: LogFile | undefined, options: Shape): Readable {
  const stopped = new AbortController();
  const reader = Readable.from(
    limited(pieces(file, live, { ...options, signal: stopped.signal }), options.limitBytes),
    {
      objectMode: false,
    },
  );
  reader.once('close', () => stopped.abort());
  return reader;
}

async function* pieces(
  file: string,
  live: LogFile | undefined,
  options: Shape & { signal: AbortSignal },
): AsyncGenerator<Buffer> {
  let position: LogPosition | undefined;
  for (;;) {
    // Asked first: what is printed after it is looked for again.
    const ended = live?.closed ?? true;
    const news = nextAppend(live, options.signal);
    const read = await readLog(file, position);
    const lines = recent(read?.lines, options.sinceMs);
    const chosen = position ? lines : tail(lines, options.tailLines);
    position = read?.position ?? position;
    if (chosen.length > 0) yield textOf(chosen, options.timestamps);
    if (!options.follow || ended || options.signal.aborted) return;
    await news;
  }
}

/** Started before the file is read, so that nothing written meanwhile is waited for in vain. */
function nextAppend(live: LogFile | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = live?.onAppended(done);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      stop?.();
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

function recent(lines: LogLine[] = [], sinceMs?: number): LogLine[] {
  return sinceMs === undefined ? lines : lines.filter(({ time }) => Date.parse(time) >= sinceMs);
}

function textOf(lines: readonly LogLine[], timestamps: boolean): Buffer {
  const texts = lines.map(
    ({ time, text, partial }) => `${timestamps ? `${time} ` : ''}${text}${partial ? '' : '\n'}`,
  );
  return Buffer.from(texts.join(''));
}

/** The last lines; the parts of a long line count as one. */
function tail(lines: LogLine[], count: number | undefined): LogLine[] {
  if (count === undefined) return lines;
  let start = lines.length;
  for (let left = count; start > 0 && left > 0; left -= 1) {
    start -= 1;
    while (start > 0 && lines[start - 1]?.partial) start -= 1;
  }
  return lines.slice(start);
}

async function* limited(source: AsyncIterable<Buffer>, limit: number | undefined): AsyncGenerator<Buffer> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const piece of source) {
    yield piece.length <= left ? piece : piece.subarray(0, left);
    left -= piece.length;
    if (left <= 0) return;
  }
}
