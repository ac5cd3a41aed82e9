import postgres, { type Sql } from 'postgres';
import { newId } from '../new-id.ts';
import { ONCE_MS, StoreAway, pageOf } from '../store.ts';
import type { Accept, Creation, Listing, Once, Page, Store, WriteOutcome } from '../store.ts';
import { Batch } from './batch.ts';
import { isAway, storeError } from './faults.ts';
import { migrate } from './migrations.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…`, or a list of hosts. */
  readonly url: string;
  /** Connections at most. */
  readonly pool: number;
  /** Of one statement, in the database. */
  readonly statementTimeoutMs: number;
  /** How long `open` waits for a database that is starting. */
  readonly connectTimeoutMs: number;
}

/** A request waits no longer than this for a connection and its answer. */
const MARGIN_MS = 1000;
const RETRY_MS = 250;
const SHARED = {
  /** More would spread the same calls over more statements. */
  lanes: 2,
  // Who waits behind a statement that was given up would wait as long again.
  endsWaiting: (error: unknown) => error instanceof StoreAway && error.tookTooLong,
};
const MAX_BATCH_LENGTH = 1_000_000;
const MAX_BATCH_READS = 100;
/** How often keys that nobody can use any more are removed. */
const SWEEP_MS = 3_600_000;

/**
 * Entries in PostgreSQL: any number of replicas are one service. Ids are made here, so that a create whose answer got
 * lost can be sent again without a second entry.
 */
export class PostgresStore implements Store {
  readonly description = 'postgres (shared database)';
  readonly #options: PostgresOptions;
  readonly #sql: Sql;
  readonly #creates = new Batch<string, string>({
    run: (texts) => this.#create(texts),
    ...SHARED,
    maxWeight: MAX_BATCH_LENGTH,
    weightOf: (text) => text.length,
  });
  readonly #reads = new Batch<string, string | undefined>({
    run: (ids) => this.#read(ids),
    ...SHARED,
    maxWeight: MAX_BATCH_READS,
    weightOf: () => 1,
  });
  /** All who ask together get one list. */
  readonly #lists = new Batch<undefined, Listing>({
    run: async (asked) => {
      const listing = await this.#list();
      return asked.map(() => listing);
    },
    ...SHARED,
    lanes: 1,
    maxWeight: Infinity,
    weightOf: () => 1,
  });
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: PostgresOptions) {
    this.#options = options;
    const { statementTimeoutMs } = options;
    this.#sql = postgres(options.url, {
      max: options.pool,
      connect_timeout: 5,
      // A database that comes back is used again within a moment.
      backoff: () => RETRY_MS / 1000,
      onnotice: () => undefined,
      connection: {
        application_name: 'addrservice',
        statement_timeout: statementTimeoutMs,
        lock_timeout: statementTimeoutMs,
        idle_in_transaction_session_timeout: statementTimeoutMs,
      },
    });
  }

  async open(): Promise<void> {
    await this.#connect();
    await this.#forgetKeys();
    this.#sweep = setInterval(() => void this.#forgetKeys().catch(() => undefined), SWEEP_MS).unref();
  }

  async #connect(): Promise<void> {
    const until = performance.now() + this.#options.connectTimeoutMs;
    for (;;) {
      try {
        await migrate(this.#sql);
        return;
      } catch (error) {
        if (!isAway(error) || performance.now() > until) throw storeError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async ping(): Promise<void> {
    await this.#once(() => this.#sql`select 1`);
  }

  create(text: string): Promise<string> {
    return this.#creates.add(text);
  }

  async #create(texts: readonly string[]): Promise<readonly string[]> {
    const ids = texts.map(() => newId());
    await this.#again(
      () => this.#sql`
        insert into entries (id, doc) select * from unnest(${ids}::text[], ${texts as string[]}::text[])
        on conflict (id) do nothing`,
    );
    return ids;
  }

  async createOnce(text: string, once: Once): Promise<Creation> {
    const id = newId();
    return this.#again(
      () => this.#sql.begin((sql) => createOnce(sql, { id, text, once })) as Promise<Creation>,
    );
  }

  get(id: string): Promise<string | undefined> {
    return this.#reads.add(id);
  }

  async #read(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    const wanted = [...new Set(ids)];
    const rows = await this.#again(
      () =>
        this.#sql<
          { id: string; doc: string }[]
        >`select id, doc from entries where id = any(${wanted}::text[])`,
    );
    const docs = new Map(rows.map(({ id, doc }) => [id, doc]));
    return ids.map((id) => docs.get(id));
  }

  async replace(id: string, text: string, accept?: Accept): Promise<WriteOutcome> {
    if (accept) {
      return this.#conditionally(
        id,
        accept,
        (sql) => sql`update entries set doc = ${text}, updated_at = now() where id = ${id}`,
      );
    }
    const { count } = await this.#again(
      () => this.#sql`update entries set doc = ${text}, updated_at = now() where id = ${id}`,
    );
    return count === 0 ? 'absent' : 'done';
  }

  async remove(id: string, accept?: Accept): Promise<WriteOutcome> {
    if (accept) return this.#conditionally(id, accept, (sql) => sql`delete from entries where id = ${id}`);
    // Sent once: after a lost answer a second one could not tell whether the first had removed it.
    const { count } = await this.#once(() => this.#sql`delete from entries where id = ${id}`);
    return count === 0 ? 'absent' : 'done';
  }

  list(): Promise<Listing> {
    return this.#lists.add(undefined);
  }

  async #list(): Promise<Listing> {
    const [row] = await this.#again(
      () => this.#sql<{ members: string | null }[]>`
        select string_agg('"' || id || '":' || doc, ',' order by id) as members from entries`,
    );
    return { text: `{${row?.members ?? ''}}`, unreadable: [] };
  }

  async page({ after, limit }: { after: string; limit: number }): Promise<Page> {
    const rows = await this.#again(
      () => this.#sql<{ id: string; doc: string }[]>`
        select id, doc from entries where id > ${after} order by id limit ${limit + 1}`,
    );
    return pageOf(
      rows.map(({ id, doc }) => [id, doc] as const),
      limit,
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#sql.end({ timeout: 5 });
  }

  async #forgetKeys(): Promise<void> {
    const oldest = new Date(Date.now() - ONCE_MS);
    await this.#once(() => this.#sql`delete from idempotency_keys where created_at < ${oldest}`);
  }

  async #conditionally(
    id: string,
    accept: Accept,
    change: (sql: postgres.TransactionSql) => Promise<unknown>,
  ): Promise<WriteOutcome> {
    return this.#once(() =>
      this.#sql.begin(async (sql): Promise<WriteOutcome> => {
        const [row] = await sql<{ doc: string }[]>`select doc from entries where id = ${id} for update`;
        if (!row) return 'absent';
        if (!accept(row.doc)) return 'refused';
        await change(sql);
        return 'done';
      }),
    ) as Promise<WriteOutcome>;
  }

  /** For statements that may be sent twice: a connection that broke since its last use is no reason to fail. */
  async #again<T>(statement: () => PromiseLike<T>): Promise<T> {
    try {
      return await this.#once(statement);
    } catch (error) {
      if (!(error instanceof StoreAway) || error.tookTooLong) throw error;
      return this.#once(statement);
    }
  }

  /** The driver keeps statements until there is a connection; callers are told sooner. */
  async #once<T>(statement: () => PromiseLike<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new StoreAway('the database does not answer', { tookTooLong: true })),
        this.#options.statementTimeoutMs + MARGIN_MS,
      );
    });
    try {
      return await Promise.race([statement(), late]);
    } catch (error) {
      throw storeError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The key and its entry appear together. Whoever comes second waits for the first and finds its key. */
async function createOnce(
  sql: postgres.TransactionSql,
  { id, text, once }: { readonly id: string; readonly text: string; readonly once: Once },
): Promise<Creation> {
  const { key, fingerprint } = once;
  const oldest = new Date(Date.now() - ONCE_MS);
  const made = await sql`
    insert into idempotency_keys (key, fingerprint, entry_id) values (${key}, ${fingerprint}, ${id})
    on conflict (key) do update set fingerprint = excluded.fingerprint, entry_id = excluded.entry_id, created_at = now()
    where idempotency_keys.created_at < ${oldest}`;
  if (made.count > 0) {
    await sql`insert into entries (id, doc) values (${id}, ${text})`;
    return { kind: 'created', id };
  }
  const [known] = await sql<{ fingerprint: string; entry_id: string }[]>`
    select fingerprint, entry_id from idempotency_keys where key = ${key}`;
  // Ours, when this is the second sending of a create whose answer got lost.
  if (known?.entry_id === id) return { kind: 'created', id };
  return known?.fingerprint === fingerprint ? { kind: 'repeated', id: known.entry_id } : { kind: 'conflict' };
}
