import { readFileSync } from 'node:fs';
import { schemaFile } from '../places.ts';
import { docsPage } from './docs-page.ts';
import { JSON_TYPE } from './error-body.ts';
import type { Answer, Handlers } from './exchange.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type OpenApiDocument = ReturnType<typeof openApiDocument>;

const text = (description: string) => ({ description });
const error = (description: string) => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
});
const header = (description: string) => ({ description, schema: { type: 'string' } });
const given = (name: string, description: string) => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
});
const query = (name: string, description: string, schema: Json) => ({
  name,
  in: 'query',
  description,
  schema,
});

const ETAG = { ETag: header('changes whenever the representation does') };
const IF_MATCH = given('If-Match', 'write only when the entry still has this ETag');
const IF_NONE_MATCH = given('If-None-Match', '304 when the ETag is still the same');
const ENTRY_BODY = {
  required: true,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/AddressEntry' } } },
};
const ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[a-zA-Z0-9-]+$' },
} as const;
const REFUSED = {
  400: error(
    'the body is not JSON, does not fit the schema, or holds an empty field or a number that cannot be kept exactly',
  ),
  413: error('the body is too large, before or after decompression'),
  415: error('unknown Content-Encoding'),
  503: error('the store is away or busy; try again after Retry-After seconds'),
};

const collection = {
  get: {
    operationId: 'listEntries',
    summary: 'All entries as one object, or a page of them',
    parameters: [
      query('limit', 'how many entries at most; asks for pages', {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
      }),
      query('cursor', 'where the page before ended: follow its Link', {
        type: 'string',
        pattern: '^[0-9a-f]{32}$',
      }),
      IF_NONE_MATCH,
    ],
    responses: {
      200: {
        description: 'id -> entry',
        headers: { ...ETAG, Link: header('rel="next": the next page, when there is one') },
        content: {
          'application/json': {
            schema: { type: 'object', additionalProperties: { $ref: '#/components/schemas/AddressEntry' } },
          },
        },
      },
      304: text('not changed'),
      400: error('limit or cursor is not valid'),
      503: REFUSED[503],
    },
  },
  post: {
    operationId: 'createEntry',
    summary: 'Create an entry',
    parameters: [given('Idempotency-Key', 'the same key within a day makes the same entry')],
    requestBody: ENTRY_BODY,
    responses: {
      201: { description: 'created', headers: { Location: header('/addresses/{id}') } },
      ...REFUSED,
      422: error('the Idempotency-Key was used with another body'),
      507: error('the store is full'),
    },
  },
};

const item = {
  parameters: [ID],
  get: {
    operationId: 'readEntry',
    summary: 'Read an entry',
    parameters: [IF_NONE_MATCH],
    responses: {
      200: {
        description: 'the entry',
        headers: ETAG,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/AddressEntry' } } },
      },
      304: text('not changed'),
      404: error('there is no such entry'),
      503: REFUSED[503],
    },
  },
  put: {
    operationId: 'replaceEntry',
    summary: 'Replace an entry; never creates one',
    parameters: [IF_MATCH],
    requestBody: ENTRY_BODY,
    responses: {
      204: text('replaced'),
      ...REFUSED,
      404: error('there is no such entry'),
      412: error('If-Match no longer holds'),
    },
  },
  delete: {
    operationId: 'deleteEntry',
    summary: 'Delete an entry',
    parameters: [IF_MATCH],
    responses: {
      204: text('deleted'),
      404: error('there is no such entry'),
      412: error('If-Match no longer holds'),
      503: REFUSED[503],
    },
  },
};

const probe = (operationId: string, summary: string, failing: string | undefined) => ({
  get: {
    operationId,
    summary,
    responses: { 200: text('yes'), ...(failing === undefined ? {} : { 503: text(failing) }) },
  },
});

const PATHS = {
  '/addresses': collection,
  '/addresses/{id}': item,
  '/livez': probe('isAlive', 'Does the process answer?', undefined),
  '/readyz': probe(
    'isReady',
    'Should it get requests? Says which store it has',
    'draining, or the store is away',
  ),
  '/openapi.json': probe('describe', 'This document', undefined),
  '/docs': probe('readDocs', 'This document as a page', undefined),
};

/** OpenAPI 3.1 knows JSON Schema's `definitions` only below its own components. */
function entrySchemas(): Record<string, Json> {
  const moved = readFileSync(schemaFile, 'utf8').replaceAll('"#/definitions/', '"#/components/schemas/');
  const { $schema: _dialect, $id: _id, definitions, ...entry } = JSON.parse(moved) as Record<string, Json>;
  return { ...(definitions as Record<string, Json>), AddressEntry: entry };
}

/** The service as an OpenAPI 3.1 document. */
export function openApiDocument(name: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: name,
      version: '1.0.0',
      summary: 'Entries with addresses, phone and fax numbers and e-mails',
    },
    paths: PATHS,
    components: {
      schemas: {
        ...entrySchemas(),
        Error: {
          type: 'object',
          required: ['method', 'uri', 'code', 'message'],
          properties: {
            method: { type: 'string' },
            uri: { type: 'string' },
            code: { type: 'integer' },
            message: { type: 'string' },
          },
        },
      },
    },
  };
}

/** `/openapi.json` for programs, `/docs` for people. */
export function documentHandlers(name: string): Handlers {
  const document = openApiDocument(name);
  const json: Answer = {
    status: 200,
    headers: ['content-type', JSON_TYPE],
    body: JSON.stringify(document),
  };
  const page: Answer = {
    status: 200,
    headers: [
      'content-type',
      'text/html; charset=UTF-8',
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ],
    body: docsPage(document),
  };
  return { '/openapi.json': { GET: () => json }, '/docs': { GET: () => page } };
}
