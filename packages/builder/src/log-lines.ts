import { StringDecoder } from 'node:string_decoder';

const MAX_LINE = 16 * 1024;

/** Cuts output into lines. A line without end is passed on when it is very long, and by `end`. */
export function logLines(onLine: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const flush = () => {
    if (rest !== '') onLine(rest.replace(/\r$/, ''));
    rest = '';
  };
  return {
    write(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.replace(/\r$/, ''));
      if (rest.length > MAX_LINE) flush();
    },
    end() {
      rest += decoder.end();
      flush();
    },
  };
}
