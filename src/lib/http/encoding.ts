import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { errorCode } from '../error-code.ts';
import { HttpFault } from '../fault.ts';

const gunzipAsync = promisify(gunzip);
const gzipAsync = promisify(gzip);

/** Shorter answers are not worth a gzip header. */
export const COMPRESS_FROM_BYTES = 1024;

export function compress(body: Buffer): Promise<Buffer> {
  return gzipAsync(body, { level: 6 });
}

function quality(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^\s*q\s*=\s*([\d.]+)\s*$/i.exec(parameter);
    if (match !== null) return Number(match[1]);
  }
  return 1;
}

/** Accept-Encoding, with its q-values: `gzip;q=0` is a refusal, and an absent header asks for nothing. */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined || header === '') return false;
  let wildcard = false;
  for (const part of header.split(',')) {
    const [coding = '', ...parameters] = part.split(';');
    const name = coding.trim().toLowerCase();
    if (name === 'gzip' || name === 'x-gzip') return quality(parameters) > 0;
    if (name === '*') wildcard = quality(parameters) > 0;
  }
  return wildcard;
}

/**
 * Undoes a request's Content-Encoding. The limit holds for what comes out, so a small bomb stays small.
 * @throws HttpFault 400 broken or cut-off, 413 too long, 415 unknown coding
 */
export async function decodeBody(body: Buffer, coding: string | undefined, limit: number): Promise<Buffer> {
  const name = (coding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  if (name !== 'gzip' && name !== 'x-gzip') {
    throw new HttpFault(415, 'Unsupported Media Type', { headers: { 'accept-encoding': 'gzip, identity' } });
  }
  try {
    return await gunzipAsync(body, { maxOutputLength: limit });
  } catch (cause) {
    const tooLong = errorCode(cause) === 'ERR_BUFFER_TOO_LARGE';
    if (tooLong) throw new HttpFault(413, 'Content Too Large', { cause });
    throw new HttpFault(400, 'Invalid JSON body', { cause });
  }
}
