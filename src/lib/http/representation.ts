import type { FastifyReply, FastifyRequest } from 'fastify';
import { etagOf, gzipEtag, noneMatchHits } from './conditions.ts';
import { COMPRESS_FROM_BYTES, acceptsGzip, compress } from './encoding.ts';
import { JSON_TYPE } from './error-body.ts';

/** A body that is ready to send, with its tag; the gzip form is made once, when first asked for. */
export class Representation {
  readonly etag: string;
  readonly body: Buffer | string;
  #gzip: Promise<Buffer> | undefined;

  constructor(body: Buffer | string) {
    this.body = body;
    this.etag = etagOf(body);
  }

  gzip(): Promise<Buffer> {
    this.#gzip ??= compress(Buffer.from(this.body as string));
    return this.#gzip;
  }
}

/** 200 or 304, compressed when that is wanted and worth it. */
export async function sendRepresentation(
  request: FastifyRequest,
  reply: FastifyReply,
  representation: Representation,
): Promise<FastifyReply> {
  const { headers } = request.raw;
  const gzipped =
    representation.body.length >= COMPRESS_FROM_BYTES && acceptsGzip(headers['accept-encoding']);
  reply.header('etag', gzipped ? gzipEtag(representation.etag) : representation.etag);
  reply.header('vary', 'Accept-Encoding');
  if (noneMatchHits(headers['if-none-match'], representation.etag)) return reply.code(304).send();
  reply.header('content-type', JSON_TYPE);
  if (!gzipped) return reply.send(representation.body);
  reply.header('content-encoding', 'gzip');
  return reply.send(await representation.gzip());
}
