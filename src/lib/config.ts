import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { parseDocument } from 'yaml';
import { StartFault } from './fault.ts';
import { FileStore } from './store/file-store.ts';
import { MemoryStore } from './store/memory-store.ts';
import type { Store } from './store/store.ts';

export interface Config {
  readonly service: { readonly name: string };
  readonly store:
    | { readonly kind: 'memory'; readonly max_entries: number }
    | { readonly kind: 'file'; readonly path: string };
  readonly limits: { readonly body_bytes: number; readonly request_timeout_ms: number };
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
          properties: { kind: { const: 'memory' }, max_entries: { type: 'integer', minimum: 1 } },
          additionalProperties: false,
        },
        {
          properties: { kind: { const: 'file' }, path: { type: 'string', minLength: 1 } },
          required: ['path'],
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
    shutdown: {
      type: 'object',
      properties: { drain_delay_ms: milliseconds(500), grace_ms: milliseconds(10_000) },
      additionalProperties: false,
      default: {},
    },
  },
  additionalProperties: false,
};

const MAX_ENTRIES = 100_000;

function explain(errors: readonly ErrorObject[] | null | undefined): string {
  const lines = (errors ?? []).map((error) => {
    const extra =
      'additionalProperty' in error.params ? `: ${String(error.params['additionalProperty'])}` : '';
    return `${error.instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${error.message ?? ''}${extra}`;
  });
  return lines.join('; ');
}

/** @throws StartFault naming the file and the wrong key or line */
export function readConfig(file: string): Config {
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
  const value: unknown = document.toJS() ?? {};
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

/** Relative paths count from the configuration file. */
export function createStore(config: Config, configFile: string): Store {
  if (config.store.kind === 'memory')
    return new MemoryStore({ maxEntries: config.store.max_entries ?? MAX_ENTRIES });
  return new FileStore({ path: path.resolve(path.dirname(configFile), config.store.path) });
}
