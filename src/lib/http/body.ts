import type { IncomingMessage } from 'node:http';
import { HttpFault } from '../fault.ts';
import { decodeBody } from './encoding.ts';

/** What is left of the body is not read: the connection ends with the answer. */
const tooLarge = () => new HttpFault(413, 'Content Too Large', { headers: { connection: 'close' } });

function receive(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else reject(tooLarge());
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
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { 'content-length': length, 'content-encoding': coding } = request.headers;
  if (Number(length ?? 0) > limit) throw tooLarge();
  const body = await receive(request, limit);
  return coding === undefined ? body : decodeBody(body, coding, limit);
}
