import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { entryText } from '../entry.ts';
import { HttpFault } from '../fault.ts';
import type { ServiceLog } from '../request-log.ts';
import type { Accept, Listing, Store, WriteOutcome } from '../store/store.ts';
import { createOnce, idempotencyKeyOf } from './idempotency.ts';
import { pageRequestOf, sendPage } from './pages.ts';
import { etagOf, matchAllows, noneMatchHits } from './conditions.ts';
import { decodeBody } from './encoding.ts';
import { Representation, sendRepresentation } from './representation.ts';

export interface AddressRoutesOptions {
  readonly store: Store;
  readonly log: ServiceLog;
  readonly bodyLimit: number;
}

interface EntryRoute {
  Params: { id: string };
}

const absent = () => new HttpFault(404, 'Address Not Found');

async function bodyOf(request: FastifyRequest, limit: number): Promise<string> {
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  return entryText(await decodeBody(raw, request.raw.headers['content-encoding'], limit));
}

/** If-Match and If-None-Match of a write; undefined when it has none, so that no entry is read for nothing. */
function conditionsOf(request: FastifyRequest): Accept | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.raw.headers;
  if (match === undefined && noneMatch === undefined) return undefined;
  return (current) => {
    const etag = etagOf(current);
    return matchAllows(match, etag) && !noneMatchHits(noneMatch, etag);
  };
}

function answerWrite(reply: FastifyReply, outcome: WriteOutcome): FastifyReply {
  if (outcome === 'absent') throw absent();
  if (outcome === 'refused') throw new HttpFault(412, 'Precondition Failed');
  return reply.code(204).send();
}

/** Lists are remembered by the store's own object: while it hands out the same one, nothing is encoded again. */
class Listings {
  readonly #made = new WeakMap<Listing, Representation>();

  of(listing: Listing): Representation {
    let made = this.#made.get(listing);
    if (made === undefined) {
      made = new Representation(Buffer.from(listing.text));
      this.#made.set(listing, made);
    }
    return made;
  }
}

/** CRUD on `/addresses`. */
export function addAddressRoutes(app: FastifyInstance, options: AddressRoutesOptions): void {
  const { store, log, bodyLimit } = options;
  const listings = new Listings();

  app.post('/addresses', async (request, reply) => {
    const key = idempotencyKeyOf(request.raw.headers['idempotency-key']);
    const text = await bodyOf(request, bodyLimit);
    const id = key === undefined ? await store.create(text) : await createOnce(store, text, key);
    return reply.code(201).header('location', `/addresses/${id}`).send();
  });

  app.get('/addresses', async (request, reply) => {
    const wanted = pageRequestOf(request.raw.url ?? '');
    if (wanted) return sendPage(request, reply, { page: await store.page(wanted), limit: wanted.limit });
    const listing = await store.list();
    if (listing.unreadable.length > 0) {
      log.error('stored entries are damaged and left out of the list', {
        names: listing.unreadable.slice(0, 20),
      });
      reply.header('x-entries-unreadable', String(listing.unreadable.length));
    }
    return sendRepresentation(request, reply, listings.of(listing));
  });

  app.get<EntryRoute>('/addresses/:id', async (request, reply) => {
    const text = await store.get(request.params.id);
    if (text === undefined) throw absent();
    return sendRepresentation(request, reply, new Representation(text));
  });

  app.put<EntryRoute>('/addresses/:id', async (request, reply) => {
    const text = await bodyOf(request, bodyLimit);
    return answerWrite(reply, await store.replace(request.params.id, text, conditionsOf(request)));
  });

  app.delete<EntryRoute>('/addresses/:id', async (request, reply) => {
    return answerWrite(reply, await store.remove(request.params.id, conditionsOf(request)));
  });
}
