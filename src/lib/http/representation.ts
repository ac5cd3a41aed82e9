import type { Soon } from '../soon.ts';
import { etagOf, gzipEtag, noneMatchHits } from './conditions.ts';
import { COMPRESS_FROM_BYTES, acceptsGzip, compress } from './encoding.ts';
import { JSON_TYPE } from './error-body.ts';
import type { Answer, Exchange } from './exchange.ts';

/** Short texts leave in one piece with their headers; long ones are encoded once and not again for each request. */
const ENCODE_FROM_LENGTH = 8192;

const tagged = (etag: string) => ['etag', etag, 'vary', 'Accept-Encoding'];

/** The answers that a text can be: as it is, compressed (made when first asked for), or 304 instead of either. */
class Representation {
  readonly text: string;
  readonly etag: string;
  readonly plain: Answer;
  #gzip: Promise<Answer> | undefined;

  constructor(text: string) {
    this.text = text;
    this.etag = etagOf(text);
    this.plain = {
      status: 200,
      headers: [...tagged(this.etag), 'content-type', JSON_TYPE],
      body: text.length < ENCODE_FROM_LENGTH ? text : Buffer.from(text),
    };
  }

  gzip(): Promise<Answer> {
    this.#gzip ??= compress(Buffer.from(this.text)).then((body) => ({
      status: 200,
      headers: [...tagged(gzipEtag(this.etag)), 'content-type', JSON_TYPE, 'content-encoding', 'gzip'],
      body,
    }));
    return this.#gzip;
  }

  notModified(gzipped: boolean): Answer {
    return { status: 304, headers: tagged(gzipped ? gzipEtag(this.etag) : this.etag), body: '' };
  }
}

/** Remembers what was made of the latest texts, so that a text that is asked for again is not hashed and encoded again. */
export class Representations {
  readonly #kept = new Map<string, Representation>();
  readonly #most: number;
  readonly #longest: number;

  /** How many are kept, and how long a text may be for that. */
  constructor(limits: { most: number; longest: number }) {
    this.#most = limits.most;
    this.#longest = limits.longest;
  }

  /** 200 or 304, compressed when that is wanted and worth it. */
  answer(exchange: Exchange, key: string, text: string): Soon<Answer> {
    const representation = this.#of(key, text);
    const { 'if-none-match': noneMatch, 'accept-encoding': accepted } = exchange.request.headers;
    const gzipped = text.length >= COMPRESS_FROM_BYTES && acceptsGzip(accepted);
    if (noneMatchHits(noneMatch, representation.etag)) return representation.notModified(gzipped);
    return gzipped ? representation.gzip() : representation.plain;
  }

  #of(key: string, text: string): Representation {
    const kept = this.#kept.get(key);
    if (kept?.text === text) return kept;
    const made = new Representation(text);
    if (kept === undefined && this.#kept.size >= this.#most) {
      const [oldest = ''] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    if (text.length <= this.#longest) this.#kept.set(key, made);
    return made;
  }
}

export const withHeaders = (answer: Answer, headers: readonly string[]): Answer => ({
  ...answer,
  headers: [...answer.headers, ...headers],
});
