import { badRequest } from '../status.ts';
import { POINTERS_ALWAYS, POINTERS_OF_TYPES } from './pointers.table.ts';
import { PROTO_TEXT } from './proto.table.ts';
import { parseType, tableLines } from './schema.ts';
import type { TypeRef } from './schema.ts';

/** Number -> member and type. `*`: its members stand one level higher in JSON. */
type Fields = ReadonlyMap<number, { readonly name: string; readonly type: TypeRef }>;
type Members = Record<string, unknown>;

const MAGIC = Buffer.from('k8s\0');
const MAX_DEPTH = 64;
const SPECIAL: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': readTime,
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': readMicroTime,
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': readIntOrString,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': (bytes) =>
    fieldsOf(bytes)
      .find((f) => f.number === 1)
      ?.bytes.toString('utf8'),
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': readRawJson,
  'io.k8s.apimachinery.pkg.runtime.RawExtension': readRawJson,
  'io.k8s.api.authentication.v1.ExtraValue': readStrings,
  'io.k8s.api.authorization.v1.ExtraValue': readStrings,
};

/** Go writes 0, false and '' for what was not given, except behind pointers, where they mean something. */
const POINTERS = new Set(`${POINTERS_ALWAYS} ${POINTERS_OF_TYPES}`.split(/\s+/));

function isPointer(message: string, member: string): boolean {
  const [type = ''] = message.split('.').slice(-1);
  const inGroup = message.split('.').slice(-3).join('.');
  return [member, `${type}.${member}`, `${inGroup}.${member}`].some((name) => POINTERS.has(name));
}

/** The JSON form of a protobuf body. @throws ApiFault 400 */
export function decodeProtobuf(body: Buffer): unknown {
  if (!body.subarray(0, 4).equals(MAGIC))
    throw badRequest('provided data does not appear to be a protobuf message');
  const envelope = fieldsOf(body.subarray(4));
  const typeMeta = fieldsOf(envelope.find((field) => field.number === 1)?.bytes ?? Buffer.alloc(0));
  const apiVersion = typeMeta.find((field) => field.number === 1)?.bytes.toString('utf8') ?? '';
  const kind = typeMeta.find((field) => field.number === 2)?.bytes.toString('utf8') ?? '';
  const raw = envelope.find((field) => field.number === 2)?.bytes ?? Buffer.alloc(0);
  const message = messageName(apiVersion, kind);
  if (!message) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...decodeMessage(message, raw, 0) };
}

function messageName(apiVersion: string, kind: string): string | undefined {
  if (kind === 'DeleteOptions') return 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const name = `io.k8s.api.${group.split('.')[0]}.${version}.${kind}`;
  return fieldsOfMessage(name) ? name : undefined;
}

let lines: Map<string, string> | undefined;
const messages = new Map<string, Fields>();

function fieldsOfMessage(name: string): Fields | undefined {
  const known = messages.get(name);
  if (known) return known;
  lines ??= tableLines(PROTO_TEXT);
  const text = lines.get(name);
  if (text === undefined) return undefined;
  const fields = new Map<number, { name: string; type: TypeRef }>();
  for (const [number, description] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    const [member = '', code = 's'] = description.split(' ');
    fields.set(Number(number), { name: member, type: parseType(code) });
  }
  messages.set(name, fields);
  return fields;
}

function decodeMessage(name: string, bytes: Buffer, depth: number): Members {
  const known = fieldsOfMessage(name);
  if (!known || depth > MAX_DEPTH) throw badRequest(`protobuf: cannot read ${name}`);
  const result: Members = {};
  for (const field of fieldsOf(bytes)) {
    const member = known.get(field.number);
    if (member) addMember(result, { ...member, of: name }, { field, depth: depth + 1 });
  }
  return result;
}

interface Reading {
  readonly field: WireField;
  readonly depth: number;
}

function addMember(
  result: Members,
  member: { of: string; name: string; type: TypeRef },
  reading: Reading,
): void {
  const { of, name, type } = member;
  if (type.kind === 'list') {
    const list = (result[name] ??= []) as unknown[];
    list.push(decodeValue(type.of, reading));
  } else if (type.kind === 'map') {
    addEntry((result[name] ??= {}) as Members, type.of, reading);
  } else if (name === '*') {
    Object.assign(result, decodeValue(type, reading));
  } else {
    const value = decodeValue(type, reading);
    if (value !== undefined && (!EMPTY.includes(value) || isPointer(of, name))) result[name] = value;
  }
}

const EMPTY: readonly unknown[] = ['', 0, false];

function addEntry(map: Members, type: TypeRef, reading: Reading): void {
  const entry = fieldsOf(reading.field.bytes);
  const key = entry.find((field) => field.number === 1)?.bytes.toString('utf8') ?? '';
  const value = entry.find((field) => field.number === 2) ?? { number: 2, value: 0n, bytes: NONE };
  if (key !== '__proto__') map[key] = decodeValue(type, { field: value, depth: reading.depth });
}

function decodeValue(type: TypeRef, reading: Reading): unknown {
  const { field, depth } = reading;
  if (type.kind === 'ref') {
    const special = SPECIAL[type.name];
    return special ? special(field.bytes) : decodeMessage(type.name, field.bytes, depth);
  }
  if (type.kind !== 'scalar') throw badRequest('protobuf: lists of lists are not known');
  switch (type.scalar) {
    case 's':
      return field.bytes.toString('utf8');
    case 'y':
      return field.bytes.toString('base64');
    case 'b':
      return field.value !== 0n;
    default:
      return Number(BigInt.asIntN(64, field.value));
  }
}

interface WireField {
  readonly number: number;
  /** Of a number. */
  readonly value: bigint;
  /** Of anything with a length. */
  readonly bytes: Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const NONE = Buffer.alloc(0);

/** The fields of one message, in order. @throws ApiFault 400 when it ends too early or is nonsense */
function fieldsOf(bytes: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw badRequest('protobuf: the message is cut off');
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw badRequest('protobuf: the message is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const number = tag >>> 3;
    if (wire === VARINT) fields.push({ number, value: varint(), bytes: NONE });
    else if (wire === LENGTH) fields.push({ number, value: 0n, bytes: take(Number(varint())) });
    else if (wire === FIXED64) fields.push({ number, value: 0n, bytes: take(8) });
    else if (wire === FIXED32) fields.push({ number, value: 0n, bytes: take(4) });
    else throw badRequest('protobuf: unknown wire type');
  }
  return fields;
}

/** 0001-01-01T00:00:00Z */
const GO_ZERO_SECONDS = -62_135_596_800;

function readTime(bytes: Buffer): string | undefined {
  const fields = fieldsOf(bytes);
  const seconds = Number(BigInt.asIntN(64, fields.find((field) => field.number === 1)?.value ?? 0n));
  // Go's own beginning of time is how it writes "no time".
  if (fields.length === 0 || seconds === GO_ZERO_SECONDS) return undefined;
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) return undefined;
  return `${time.toISOString().slice(0, 19)}Z`;
}

const NANOS_IN_MICRO = 1000n;

function readMicroTime(bytes: Buffer): string | undefined {
  const nanos = fieldsOf(bytes).find((field) => field.number === 2)?.value ?? 0n;
  const micros = String(BigInt.asUintN(32, nanos) / NANOS_IN_MICRO).padStart(6, '0');
  return readTime(bytes)?.replace('Z', `.${micros}Z`);
}

function readIntOrString(bytes: Buffer): string | number {
  const fields = fieldsOf(bytes);
  const isText = fields.find((field) => field.number === 1)?.value === 1n;
  if (isText) return fields.find((field) => field.number === 3)?.bytes.toString('utf8') ?? '';
  return Number(BigInt.asIntN(64, fields.find((field) => field.number === 2)?.value ?? 0n));
}

function readRawJson(bytes: Buffer): unknown {
  const raw = fieldsOf(bytes)
    .find((field) => field.number === 1)
    ?.bytes.toString('utf8');
  if (!raw) return undefined;
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    throw badRequest('protobuf: the raw JSON inside is not well-formed');
  }
}

function readStrings(bytes: Buffer): string[] {
  return fieldsOf(bytes).map((field) => field.bytes.toString('utf8'));
}
