type Json = Readonly<Record<string, unknown>>;

/** The bytes of a value, without its number. */
type Write = (value: unknown) => Buffer;
/** The fields that a member becomes, with their numbers. */
type Member = (value: unknown) => readonly Buffer[];
type Members = Readonly<Record<string, Member>>;

const BYTES = 2;
const SEVEN_BITS = 0x7f;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > SEVEN_BITS; rest = Math.floor(rest / 128)) bytes.push((rest & SEVEN_BITS) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + BYTES), varint(bytes.length), bytes]);
}

const textOf: Write = (value) => Buffer.from(String(value));
/** gnostic's `Any`: its 2 is YAML, and JSON is YAML. */
const anyOf: Write = (value) => field(2, Buffer.from(JSON.stringify(value)));

const one =
  (number: number, write: Write): Member =>
  (value) => [field(number, write(value))];

const list =
  (number: number, write: Write): Member =>
  (value) =>
    (value as readonly unknown[]).map((item) => field(number, write(item)));

const text = (number: number): Member => one(number, textOf);

const flag =
  (number: number): Member =>
  (value) => [Buffer.concat([varint(number * 8), varint(value === true ? 1 : 0)])];

/** A message that holds nothing but member `number`. */
const holding =
  (number: number, write: Write): Write =>
  (value) =>
    field(number, write(value));

const namedOf = (name: string, write: Write, value: unknown) =>
  Buffer.concat([field(1, Buffer.from(name)), field(2, write(value))]);

/** The message that stands for a map: its `number` is repeated, each with 1 name and 2 value. */
const named =
  (number: number, write: Write): Write =>
  (value) =>
    Buffer.concat(
      Object.entries(value as Json).map(([name, item]) => field(number, namedOf(name, write, item))),
    );

/** @param members asked for late: schemas hold schemas @param extensions number of the list of `x-` members */
const message =
  (members: () => Members, extensions?: number): Write =>
  (value) =>
    Buffer.concat(
      Object.entries(value as Json).flatMap(([key, item]) => {
        const member = members()[key];
        if (member) return member(item);
        return extensions !== undefined && key.startsWith('x-')
          ? [field(extensions, namedOf(key, anyOf, item))]
          : [];
      }),
    );

const schema = message(() => SCHEMA, 31);

/** `Schema`. Bounds and patterns are left out: clients leave those to the server. */
const SCHEMA: Members = {
  $ref: text(1),
  format: text(2),
  title: text(3),
  description: text(4),
  required: list(19, textOf),
  enum: list(20, anyOf),
  additionalProperties: one(21, (value) =>
    Buffer.concat(typeof value === 'object' ? [field(1, schema(value))] : flag(2)(value)),
  ),
  type: one(22, holding(1, textOf)),
  items: one(23, holding(1, schema)),
  properties: one(25, named(1, schema)),
};

const PARAMETER: Members = {
  required: flag(1),
  in: text(2),
  description: text(3),
  name: text(4),
  type: text(6),
  format: text(7),
  uniqueItems: flag(21),
};
/** All of ours are in the query: `ParametersItem` holds a `Parameter`, that a `NonBodyParameter`, that the last one. */
const parameter = holding(
  1,
  holding(
    2,
    holding(
      3,
      message(() => PARAMETER, 23),
    ),
  ),
);

const RESPONSE: Members = { description: text(1) };
const OPERATION: Members = {
  description: text(3),
  parameters: list(8, parameter),
  responses: one(
    9,
    named(
      1,
      holding(
        1,
        message(() => RESPONSE),
      ),
    ),
  ),
};
const operation = message(() => OPERATION, 13);

const PATH_ITEM: Members = {
  get: one(2, operation),
  put: one(3, operation),
  post: one(4, operation),
  delete: one(5, operation),
  patch: one(8, operation),
};

const INFO: Members = { title: text(1), version: text(2) };
const DOCUMENT: Members = {
  swagger: text(1),
  info: one(
    2,
    message(() => INFO),
  ),
  paths: one(
    8,
    named(
      2,
      message(() => PATH_ITEM),
    ),
  ),
  definitions: one(9, named(1, schema)),
};

/** An OpenAPI v2 document as gnostic's protobuf message `Document`, the only form of it that kubectl takes. */
export const encodeSwagger: Write = message(() => DOCUMENT);
