import type { Sql } from 'postgres';

/**
 * The tables, step by step. A step that has shipped is never changed: add another. Each must leave the tables usable
 * for the version before it (expand first, contract a release later), since both run during a rolling update.
 */
export const MIGRATIONS: readonly string[] = [
  // The text is stored as it is sent back: jsonb would refuse \u0000 and change numbers and the order of keys.
  `create table entries (
     id text collate "C" primary key check (id ~ '^[0-9a-f]{32}$'),
     doc text not null,
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create table idempotency_keys (
     key text collate "C" primary key,
     fingerprint text not null,
     entry_id text not null,
     created_at timestamptz not null default now()
   );
   create index idempotency_keys_age on idempotency_keys (created_at)`,
];

/** Any number would do, as long as every version of this service takes the same. */
const LOCK = 7_236_004_411;

/**
 * Brings the tables to this version, once, whichever replicas start together: the others wait for the lock and find
 * nothing left to do. A newer database is left alone: an older version must keep running beside a newer one.
 */
export async function migrate(sql: Sql): Promise<void> {
  await sql.begin(async (transaction) => {
    // Others may be at it for longer than a request may take.
    await transaction`set local statement_timeout = 0`;
    await transaction`set local lock_timeout = 0`;
    await transaction`set local idle_in_transaction_session_timeout = 0`;
    await transaction`select pg_advisory_xact_lock(${LOCK})`;
    await transaction`create table if not exists schema_version (version integer not null, singleton boolean primary key default true check (singleton))`;
    const [row] = await transaction<{ version: number }[]>`select version from schema_version`;
    const from = row?.version ?? 0;
    for (const statement of MIGRATIONS.slice(from)) await transaction.unsafe(statement);
    if (from >= MIGRATIONS.length) return;
    await transaction`insert into schema_version (version) values (${MIGRATIONS.length})
      on conflict (singleton) do update set version = excluded.version`;
  });
}
