import type { IncomingMessage, ServerResponse } from 'node:http';
import { stringify as toYaml } from 'yaml';
import type { Answer } from './context.ts';
import { JsonText } from './json-text.ts';

/** A document that is answered with its own content type. */
export class Text {
  readonly type: string;
  readonly text: string | Buffer;

  constructor(type: string, text: string | Buffer) {
    this.type = type;
    this.text = text;
  }
}

/** How whoever asks wants to read the answer. */
export interface Wish {
  readonly accept: string;
  /** In lines, for people. */
  readonly isPretty: boolean;
}

/** Programs that people use by hand. */
const BY_HAND = /^(curl|Wget|Mozilla\/5\.0)/;
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

export function wishOf(message: IncomingMessage): Wish {
  const { accept = '', 'user-agent': userAgent = '' } = message.headers;
  const [, given] = /[?&]pretty=([^&]+)/.exec(message.url ?? '') ?? [];
  return { accept, isPretty: given === undefined ? BY_HAND.test(userAgent) : TRUE.has(given) };
}

const MAX_WARNING_BYTES = 4096;
const MOST_OF_ONE = 256;

/** As a header can carry them: UTF-8 in bytes, no control characters, and not more than clients read. */
function warningTexts(warnings: readonly string[]): string[] {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const texts = warnings.map((words) => words.replaceAll(/[\u0000-\u001f\u007f]+/g, ' '));
  const isMuch = texts.reduce((sum, words) => sum + Buffer.byteLength(words), 0) > MAX_WARNING_BYTES;
  let left = MAX_WARNING_BYTES;
  return texts.flatMap((words) => {
    const short = isMuch ? Array.from(words).slice(0, MOST_OF_ONE).join('') : words;
    const bytes = Buffer.from(short, 'utf8');
    left -= bytes.length;
    return left < 0 ? [] : [bytes.toString('latin1')];
  });
}

/** Ends the response with the answer. */
export function write(response: ServerResponse, answer: Answer, wish: Wish): void {
  const { type, text } = render(answer.body, wish);
  const warnings = warningTexts(answer.warnings ?? []);
  for (const words of warnings) response.appendHeader('warning', `299 - ${JSON.stringify(words)}`);
  if (answer.code === 401) response.setHeader('www-authenticate', 'Bearer realm="kubernetes"');
  const details = (answer.body as { details?: { retryAfterSeconds?: number } } | undefined)?.details;
  if (details?.retryAfterSeconds !== undefined)
    response.setHeader('retry-after', String(details.retryAfterSeconds));
  response.writeHead(answer.code, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-cache, private',
  });
  // A text would have the head written in its own encoding.
  response.end(warnings.length > 0 ? Buffer.from(text) : text);
}

/** Words are answered as they are. */
export function plain(response: ServerResponse, body: unknown, wish: Wish): void {
  if (typeof body !== 'string') return write(response, { code: 200, body }, wish);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(body);
}

function render(body: unknown, { accept, isPretty }: Wish): { type: string; text: string | Buffer } {
  if (body instanceof Text) return body;
  const text = body instanceof JsonText ? body.text : JSON.stringify(body);
  if (accept.startsWith('application/yaml'))
    return { type: 'application/yaml', text: toYaml(JSON.parse(text)) };
  return { type: 'application/json', text: isPretty ? JSON.stringify(JSON.parse(text), null, 2) : text };
}
