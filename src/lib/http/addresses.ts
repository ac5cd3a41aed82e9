import { entryText } from '../entry.ts';
import { HttpFault } from '../fault.ts';
import type { ServiceLog } from '../request-log.ts';
import { andThen, type Soon } from '../soon.ts';
import type { Accept, Store, WriteOutcome } from '../store/store.ts';
import { readBody } from './body.ts';
import { etagOf, matchAllows, noneMatchHits } from './conditions.ts';
import type { Answer, Exchange, Handlers } from './exchange.ts';
import { createOnce, idempotencyKeyOf } from './idempotency.ts';
import { linkOf, pageRequestOf, type PageRequest } from './pages.ts';
import { Representations, withHeaders } from './representation.ts';

export interface AddressOptions {
  readonly store: Store;
  readonly log: ServiceLog;
  readonly bodyLimit: number;
}

const absent = () => new HttpFault(404, 'Address Not Found');

/** If-Match and If-None-Match of a write; undefined when it has none, so that no entry is read for nothing. */
function conditionsOf({ request }: Exchange): Accept | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return undefined;
  return (current) => {
    const etag = etagOf(current);
    return matchAllows(match, etag) && !noneMatchHits(noneMatch, etag);
  };
}

const WRITTEN: Answer = { status: 204, headers: [], body: '' };

function answerWrite(outcome: WriteOutcome): Answer {
  if (outcome === 'absent') throw absent();
  if (outcome === 'refused') throw new HttpFault(412, 'Precondition Failed');
  return WRITTEN;
}

/** CRUD on `/addresses`. */
class Addresses {
  readonly #store: Store;
  readonly #log: ServiceLog;
  readonly #bodyLimit: number;
  readonly #entries = new Representations({ most: 1000, longest: 16_384 });
  readonly #lists = new Representations({ most: 1, longest: Infinity });
  readonly #pages = new Representations({ most: 0, longest: 0 });

  constructor(options: AddressOptions) {
    this.#store = options.store;
    this.#log = options.log;
    this.#bodyLimit = options.bodyLimit;
  }

  readonly create = async ({ request }: Exchange): Promise<Answer> => {
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    const text = entryText(await readBody(request, this.#bodyLimit));
    const id = key === undefined ? await this.#store.create(text) : await createOnce(this.#store, text, key);
    return { status: 201, headers: ['location', `/addresses/${id}`], body: '' };
  };

  readonly list = (exchange: Exchange): Soon<Answer> => {
    const wanted = pageRequestOf(exchange.target);
    if (wanted !== undefined) return this.#page(exchange, wanted);
    return andThen(this.#store.list(), ({ text, unreadable }) => {
      const answer = this.#lists.answer(exchange, 'list', text);
      return unreadable.length === 0 ? answer : this.#withDamage(answer, unreadable);
    });
  };

  #withDamage(answer: Soon<Answer>, unreadable: readonly string[]): Soon<Answer> {
    this.#log.error('stored entries are damaged and left out of the list', {
      names: unreadable.slice(0, 20),
    });
    return andThen(answer, (whole) =>
      withHeaders(whole, ['x-entries-unreadable', String(unreadable.length)]),
    );
  }

  async #page(exchange: Exchange, wanted: PageRequest): Promise<Answer> {
    const page = await this.#store.page(wanted);
    return withHeaders(await this.#pages.answer(exchange, '', page.text), linkOf(page, wanted.limit));
  }

  readonly read = (exchange: Exchange): Soon<Answer> => {
    const id = exchange.entryId;
    return andThen(this.#store.get(id), (text) => {
      if (text === undefined) throw absent();
      return this.#entries.answer(exchange, id, text);
    });
  };

  readonly replace = async (exchange: Exchange): Promise<Answer> => {
    const text = entryText(await readBody(exchange.request, this.#bodyLimit));
    return answerWrite(await this.#store.replace(exchange.entryId, text, conditionsOf(exchange)));
  };

  readonly remove = async (exchange: Exchange): Promise<Answer> =>
    answerWrite(await this.#store.remove(exchange.entryId, conditionsOf(exchange)));
}

export function addressHandlers(options: AddressOptions): Handlers {
  const addresses = new Addresses(options);
  return {
    '/addresses': { GET: addresses.list, POST: addresses.create },
    '/addresses/:id': { GET: addresses.read, PUT: addresses.replace, DELETE: addresses.remove },
  };
}
