import { invalidLayer } from './entry.ts';

/** Reads PAX records (`LENGTH KEY=VALUE\n`, LENGTH counting itself) out of a byte string. Later records win. */
export function readPax(text: string, into: Map<string, string>): void {
  let position = 0;
  while (position < text.length) {
    const blank = text.indexOf(' ', position);
    const digits = blank < 0 ? '' : text.slice(position, blank);
    if (!/^[1-9][0-9]{0,8}$/.test(digits)) throw invalidLayer('a PAX record has no length');
    const end = position + Number(digits);
    const equals = text.indexOf('=', blank);
    if (end > text.length || equals < 0 || equals >= end || text[end - 1] !== '\n') {
      throw invalidLayer('a PAX record has a wrong length');
    }
    add(into, text.slice(blank + 1, equals), text.slice(equals + 1, end - 1));
    position = end;
  }
}

/** Sparse files of version 0.0 repeat two keys for each of their pieces; put together they are a map of version 0.1. */
function add(into: Map<string, string>, key: string, value: string): void {
  if (key !== 'GNU.sparse.offset' && key !== 'GNU.sparse.numbytes') return void into.set(key, value);
  const before = into.get('GNU.sparse.map');
  into.set('GNU.sparse.map', before === undefined ? value : `${before},${value}`);
}

/** One record; its length field includes its own digits. */
export function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
