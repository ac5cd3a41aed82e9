import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { parseDocument } from 'yaml';
import { withEnvironment, type Environment, type Settings } from './environment.ts';
import { StartFault } from './fault.ts';
import { FileStore } from './store/file-store.ts';
import { MemoryStore } from './store/memory-store.ts';
import { PostgresStore } from './store/postgres/postgres-store.ts';
import type { Store } from './store/store.ts';

export interface Config {
  readonly service: { readonly name: string };
  readonly store:
    | {
        readonly kind: 'memory';
        readonly max_entries?: number;
        /** Of all entries together; absent: what the process's memory allows. */
        readonly max_characters?: number;
      }
    | { readonly kind: 'file'; readonly path: string }
    | {
        readonly kind: 'postgres';
        /** Absent: DATABASE_URL, or the content of the file that DATABASE_URL_FILE names. */
        readonly url?: string;
        readonly pool: number;
        readonly statement_timeout_ms: number;
        readonly connect_timeout_ms: number;
      };
  readonly limits: { readonly body_bytes: number; readonly request_timeout_ms: number };
  /** Absent: no metrics are served. */
  readonly metrics?: { readonly port: number };
  readonly shutdown: { readonly drain_delay_ms: number; readonly grace_ms: number };
}

const milliseconds = (fallback: number) => ({
  type: 'integer',
  minimum: 0,
  maximum: 600_000,
  default: fallback,
});

const SCHEMA = {
  type: 'object',
  properties: {
    service: {
      type: 'object',
      properties: { name: { type: 'string', default: 'Address Book' } },
      additionalProperties: false,
      default: {},
    },
    store: {
      type: 'object',
      discriminator: { propertyName: 'kind' },
      required: ['kind'],
      oneOf: [
        {
          properties: {
            kind: { const: 'memory' },
            max_entries: { type: 'integer', minimum: 1 },
            max_characters: { type: 'integer', minimum: 1, maximum: 500_000_000 },
          },
          additionalProperties: false,
        },
        {
          properties: { kind: { const: 'file' }, path: { type: 'string', minLength: 1 } },
          required: ['path'],
          additionalProperties: false,
        },
        {
          properties: {
            kind: { const: 'postgres' },
            url: { type: 'string', pattern: '^postgres(ql)?://' },
            pool: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
            statement_timeout_ms: milliseconds(5_000),
            connect_timeout_ms: milliseconds(30_000),
          },
          additionalProperties: false,
        },
      ],
      default: { kind: 'memory' },
    },
    limits: {
      type: 'object',
      properties: {
        body_bytes: { type: 'integer', minimum: 1, maximum: 104_857_600, default: 1_048_576 },
        request_timeout_ms: milliseconds(30_000),
      },
      additionalProperties: false,
      default: {},
    },
    metrics: {
      type: 'object',
      properties: { port: { type: 'integer', minimum: 0, maximum: 65_535, default: 9464 } },
      additionalProperties: false,
    },
    shutdown: {
      type: 'object',
      properties: { drain_delay_ms: milliseconds(500), grace_ms: milliseconds(10_000) },
      additionalProperties: false,
      default: {},
    },
  },
  additionalProperties: false,
};

const SETTINGS: Settings = [
  ['service', 'name'],
  ...[
    'kind',
    'max_entries',
    'max_characters',
    'path',
    'pool',
    'statement_timeout_ms',
    'connect_timeout_ms',
  ].map((key) => ['store', key]),
  ['limits', 'body_bytes'],
  ['limits', 'request_timeout_ms'],
  ['metrics', 'port'],
  ['shutdown', 'drain_delay_ms'],
  ['shutdown', 'grace_ms'],
];

function explain(errors: readonly ErrorObject[] | null | undefined): string {
  const lines = (errors ?? []).map((error) => {
    const extra =
      'additionalProperty' in error.params ? `: ${String(error.params['additionalProperty'])}` : '';
    return `${error.instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${error.message ?? ''}${extra}`;
  });
  return lines.join('; ');
}

/**
 * The file's settings, those of the environment over them (`ADDRSERVICE_LIMITS_BODY_BYTES`).
 * @throws StartFault naming the file and the wrong key or line, or the wrong variable
 */
export function readConfig(file: string, env: Environment = {}): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartFault(
      `cannot read the configuration ${file}: ${error instanceof Error ? error.message : ''}`,
    );
  }
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) throw new StartFault(`${file}: ${problem.message}`);
  const value = withEnvironment(document.toJS() ?? {}, env, SETTINGS);
  const check = new Ajv({
    useDefaults: true,
    discriminator: true,
    allErrors: true,
    strict: true,
    strictRequired: false,
  }).compile<Config>(SCHEMA);
  if (!check(value)) throw new StartFault(`${file}: ${explain(check.errors)}`);
  return value;
}

/** Relative paths count from the configuration file. @throws StartFault when a database is asked for and none is named */
export function createStore({ store }: Config, configFile: string, env: Environment): Store {
  switch (store.kind) {
    case 'memory':
      return new MemoryStore({ maxEntries: store.max_entries, maxLength: store.max_characters });
    case 'file':
      return new FileStore({ path: path.resolve(path.dirname(configFile), store.path) });
    case 'postgres':
      return new PostgresStore({
        url: databaseUrl(store.url, env),
        pool: store.pool,
        statementTimeoutMs: store.statement_timeout_ms,
        connectTimeoutMs: store.connect_timeout_ms,
      });
  }
}

/** It holds a password: it is never part of a message. */
function databaseUrl(written: string | undefined, env: Environment): string {
  const file = env['DATABASE_URL_FILE'];
  const url = env['DATABASE_URL'] ?? (file === undefined ? written : readSecret(file));
  if (url === undefined || url === '')
    throw new StartFault('the store is postgres: set DATABASE_URL, DATABASE_URL_FILE or store.url');
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new StartFault('the database’s address must begin with postgres:// or postgresql://');
  return url;
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new StartFault(
      `DATABASE_URL_FILE: cannot read ${file}: ${error instanceof Error ? error.message : ''}`,
    );
  }
}
