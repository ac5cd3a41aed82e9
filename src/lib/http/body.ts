import type { IncomingMessage } from 'node:http';
import { HttpFault } from '../fault.ts';
import { decodeBody } from './encoding.ts';

/** So much of a body that is refused is read and thrown away: who is still sending would lose the answer otherwise. */
const DISCARDED_BYTES = 33_554_432;

const tooLarge = (headers: Readonly<Record<string, string>> = {}) =>
  new HttpFault(413, 'Content Too Large', { headers });

function receive(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else if (size <= limit + DISCARDED_BYTES) reject(tooLarge());
      else request.destroy();
    });
    request.on('end', () => {
      const [first] = chunks;
      resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks));
    });
    request.on('error', (cause) => reject(new HttpFault(400, 'Bad Request', { cause })));
  });
}

/**
 * A request's body without its Content-Encoding. The limit holds before and after.
 * @throws HttpFault 400, 413, 415
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { 'content-length': length, 'content-encoding': coding } = request.headers;
  const announced = Number(length ?? 0);
  if (announced > limit) throw tooLarge(announced > DISCARDED_BYTES ? { connection: 'close' } : {});
  const body = receive(request, limit);
  return coding === undefined ? body : body.then((raw) => decodeBody(raw, coding, limit));
}
