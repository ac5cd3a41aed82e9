import type { IncomingMessage } from 'node:http';
import { isScalar, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import type { User, Writer } from './context.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { decodeProtobuf } from './schema/proto.ts';
import { ApiFault, badRequest, unsupportedMediaType } from './status.ts';

/** A request that was authenticated and read to its end. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  /** Without parameters, lower case; '' when there was none. */
  readonly contentType: string;
  readonly userAgent: string;
  readonly body: Buffer;
  readonly user: User;
}

/** What was asked for. @throws ApiFault 400 for what is no address */
export function addressOf(message: IncomingMessage): URL {
  try {
    return new URL(message.url ?? '/', 'https://host');
  } catch {
    throw badRequest('the path is not well-formed');
  }
}

const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** Whoever sends more than this is cut off without an answer. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** @throws ApiFault 413 for a body of more than 3 MiB */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is too much is still read, and let go: a client that is sending does not look for an answer.
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    if (bytes > MAX_DISCARDED_BYTES) break;
  }
  if (bytes <= MAX_BODY_BYTES) return Buffer.concat(chunks);
  const words = `Request entity too large: limit is ${MAX_BODY_BYTES}`;
  throw new ApiFault(413, 'RequestEntityTooLarge', words);
}

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const JSON_TYPES = ['', 'application/json', '*/*', 'text/plain', 'application/octet-stream'];
const YAML_TYPES = ['application/yaml', 'application/apply-patch+yaml'];

/** The body as a value, whatever form it came in. @throws ApiFault 400, 415 */
export function decodeBody(request: ApiRequest): unknown {
  const { body, contentType } = request;
  if (contentType === PROTOBUF) return checkShape(decodeProtobuf(body));
  // JSON is YAML, but its own parser is many times faster.
  if (YAML_TYPES.includes(contentType) && !looksLikeJson(body)) return checkShape(decodeYaml(body));
  const isJson =
    JSON_TYPES.includes(contentType) || contentType.endsWith('+json') || YAML_TYPES.includes(contentType);
  if (!isJson) throw unsupportedMediaType(['application/json', 'application/yaml', PROTOBUF]);
  return checkShape(decodeJson(body));
}

function decodeJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    // The parser's own message quotes the body, which may hold a secret.
    throw badRequest('the object provided is unrecognized (must be well-formed JSON): cannot be parsed');
  }
}

/** Deeper than any object is, and shallow enough for whoever walks through it by calling itself. */
const MAX_DEPTH = 256;

/** @throws ApiFault 400 for what is nested too deeply, or has a member that JavaScript takes for something else */
export function checkShape(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw badRequest(`the object provided is nested more than ${MAX_DEPTH} levels deep`);
  if (Object.hasOwn(value, '__proto__'))
    throw badRequest('a member of an object must not be named "__proto__"');
  for (const member of Object.values(value) as unknown[]) checkShape(member, depth + 1);
  return value;
}

function looksLikeJson(body: Buffer): boolean {
  const first = body.subarray(0, 64).toString('utf8').trimStart()[0];
  return first === '{' || first === '[';
}

/** Reading YAML takes a hundred times as long as JSON, and nobody else is served meanwhile. */
const MAX_YAML_ENTRIES = 20_000;

function decodeYaml(body: Buffer): unknown {
  const text = body.toString('utf8');
  const entries = text.match(/[\n,[{]/g)?.length ?? 0;
  if (entries > MAX_YAML_ENTRIES)
    throw badRequest(`YAML of more than ${MAX_YAML_ENTRIES} lines or entries is not read: send JSON`);
  try {
    // The library's own look for repeated keys compares each with all others.
    const document = parseDocument(text, { uniqueKeys: false });
    if (document.errors.length === 0 && !hasRepeatedKey(document))
      return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    // Nested more deeply than the library can follow, or more aliases than it does.
  }
  throw badRequest('error decoding YAML: the body is not well-formed');
}

function hasRepeatedKey(document: Document.Parsed): boolean {
  let isRepeated = false;
  visit(document, {
    Map: (_key, { items }) => {
      const keys = items.map(({ key }) => (isScalar(key) ? String(key.value) : undefined));
      const named = keys.filter((key) => key !== undefined);
      isRepeated ||= new Set(named).size < named.length;
      return isRepeated ? visit.BREAK : undefined;
    },
  });
  return isRepeated;
}

/** `true`, `True` and `1` all occur. */
export function flag(query: URLSearchParams, name: string): boolean {
  return ['true', '1'].includes((query.get(name) ?? '').toLowerCase());
}

/** A whole number; undefined when absent. @throws ApiFault 400 */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** @throws ApiFault 422 for values that are not understood */
export function writerOf(request: ApiRequest, options: string): Writer {
  const dryRun = request.query.getAll('dryRun').filter(Boolean);
  checkDryRun(dryRun, options);
  const validation = request.query.get('fieldValidation') || 'Warn';
  if (validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore') {
    throw invalidOption(
      options,
      'fieldValidation',
      `Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  return {
    manager: request.query.get('fieldManager') || managerOf(request.userAgent),
    dryRun: dryRun.length > 0,
    fieldValidation: validation,
    force: flag(request.query, 'force'),
    duplicates: validation === 'Ignore' ? [] : duplicatesIn(request),
  };
}

/** Only in what is JSON and well-formed: the others are refused, or have no place for it. */
function duplicatesIn({ body, contentType }: ApiRequest): string[] {
  if (contentType === PROTOBUF || !looksLikeJson(body)) return [];
  decodeJson(body);
  return duplicateFields(body.toString('utf8'));
}

export function checkDryRun(values: readonly string[], options: string): void {
  const bad = values.find((value) => value !== 'All');
  if (bad === undefined) return;
  throw invalidOption(
    options,
    'dryRun',
    `Unsupported value: ${JSON.stringify(bad)}: supported values: "All"`,
  );
}

export function invalidOption(options: string, field: string, message: string): ApiFault {
  return new ApiFault(422, 'Invalid', `${options}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind: options,
    causes: [
      {
        reason: message.startsWith('Required') ? 'FieldValueRequired' : 'FieldValueNotSupported',
        message,
        field,
      },
    ],
  });
}

const LONGEST_MANAGER = 128;

function managerOf(userAgent: string): string {
  const name = userAgent.split('/')[0]?.slice(0, LONGEST_MANAGER) ?? '';
  return name === '' ? 'unknown' : name;
}
