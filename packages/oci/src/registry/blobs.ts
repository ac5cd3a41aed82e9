import type { Digest } from '../types.ts';
import { WireError } from './errors.ts';
import { fullName, reply, replyStream, wireDigest } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/** GET and HEAD /v2/NAME/blobs/DIGEST, whole or one range of it. */
export async function readBlob(exchange: Exchange): Promise<void> {
  const { store, request, response } = exchange;
  const digest = wireDigest(exchange.route.item);
  const size = await sizeInRepository(exchange, digest);
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  };
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...headers, 'content-length': size });
    response.end();
    return;
  }
  const range = rangeOf(request.headers.range, size);
  if (!range) {
    const body = await store.blobs.read(digest);
    response.writeHead(200, { ...headers, 'content-length': size });
    return await replyStream(exchange, body);
  }
  const { start, end } = range;
  const part = { 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${size}` };
  response.writeHead(206, { ...headers, ...part });
  await replyStream(exchange, store.blobs.readRange(digest, start, end));
}

/** DELETE /v2/NAME/blobs/DIGEST: the repository lets go of it; the bytes stay until nothing else wants them. */
export async function deleteBlob(exchange: Exchange): Promise<void> {
  const digest = wireDigest(exchange.route.item);
  await sizeInRepository(exchange, digest);
  exchange.store.records.removeBlob(fullName(exchange), digest);
  reply(exchange, 202);
}

async function sizeInRepository(exchange: Exchange, digest: Digest): Promise<number> {
  const { store } = exchange;
  const size = store.records.hasBlob(fullName(exchange), digest) ? await store.blobs.size(digest) : undefined;
  if (size === undefined) throw new WireError('BLOB_UNKNOWN', 'the repository has no such blob');
  return size;
}

/** One range, both ends included; undefined when the whole is to be sent. Several ranges may be answered so. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, from = '', to = ''] = match;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end || start >= size) {
    const headers = { 'content-range': `bytes */${size}` };
    throw new WireError('SIZE_INVALID', 'the blob has no such range', { status: 416, headers });
  }
  return { start, end };
}
