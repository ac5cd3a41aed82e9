// Makes src/api/schema/*.table.ts from Kubernetes' published type data, reduced to the kinds that are served:
//   node --import tsx packages/cluster/scripts/make-tables.mjs FOLDER
// FOLDER holds types.json.gz (OpenAPI definitions with the x-kubernetes list and patch extensions) and
// protobuf.json.gz (message -> field number -> name, type, repeated).
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { RESOURCES } from '../src/api/resources.table.ts';

const folder = process.argv[2];
if (!folder) throw new Error('which folder holds types.json.gz and protobuf.json.gz?');
const read = (name) => JSON.parse(gunzipSync(readFileSync(path.join(folder, name))).toString());
const types = read('types.json.gz');
const messages = read('protobuf.json.gz');

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const EXTRA = [
  'io.k8s.api.autoscaling.v1.Scale',
  'io.k8s.api.policy.v1.Eviction',
  'io.k8s.api.core.v1.Binding',
  'io.k8s.api.authentication.v1.TokenRequest',
  'io.k8s.api.authentication.v1.TokenReview',
  'io.k8s.api.authentication.v1.SelfSubjectReview',
  'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  'io.k8s.api.authorization.v1.SubjectAccessReview',
  'io.k8s.api.authorization.v1.LocalSubjectAccessReview',
  `${META}.DeleteOptions`,
  `${META}.Status`,
  `${META}.ListMeta`,
];
const roots = [...RESOURCES.map((type) => type.definition), ...EXTRA];

const SCALARS = {
  'string/undefined': 's',
  'string/byte': 'y',
  'integer/int32': 'i',
  'integer/int64': 'l',
  'boolean/undefined': 'b',
  'number/double': 'd',
  'object/undefined': 'o',
};

function code(property) {
  if (property.ref) return `@${property.ref}`;
  if (property.items) return `[${code(property.items)}`;
  if (property.values) return `{${code(property.values)}`;
  const scalar = SCALARS[`${property.type}/${property.format}`];
  if (!scalar) throw new Error(`what is ${JSON.stringify(property)}?`);
  return scalar;
}

function describe(property) {
  const words = [code(property)];
  if (property['list-type'] === 'map') words.push(`keys=${property['list-map-keys'].join('+')}`);
  if (property['list-type'] === 'set') words.push('set');
  if (property['map-type'] === 'atomic') words.push('atomic');
  const strategy = property['patch-strategy'] ?? '';
  if (strategy.includes('merge')) words.push(`merge=${property['patch-merge-key'] ?? ''}`);
  if (strategy.includes('retainKeys')) words.push('retainKeys');
  if (strategy.includes('replace')) words.push('replace');
  return words.join(' ');
}

function definition(name) {
  const type = types[name];
  if (!type) throw new Error(`no definition ${name}`);
  const properties = Object.fromEntries(
    Object.entries(type.properties ?? {}).map(([key, property]) => [key, describe(property)]),
  );
  const result = { properties };
  if (type.required) result.required = type.required;
  if (type['map-type'] === 'atomic') result.atomic = true;
  if (!type.properties) result.scalar = type.type === 'string' ? (type.format ?? 'string') : 'object';
  return result;
}

function refs(text) {
  return [...text.matchAll(/@([\w.-]+)/g)].map((match) => match[1]);
}

function closure(roots, of) {
  const done = new Map();
  const open = [...roots];
  while (open.length > 0) {
    const name = open.pop();
    if (done.has(name)) continue;
    const value = of(name);
    done.set(name, value);
    open.push(...refs(JSON.stringify(value)));
  }
  return [...done].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const PROTO_SCALARS = { string: 's', bool: 'b', int32: 'i', int64: 'l', bytes: 'y' };

function protoType(text, owner) {
  const map = /^map<string,\s*(.+)>$/.exec(text);
  if (map) return `{${protoType(map[1].replace(/^\./, ''), owner)}`;
  if (PROTO_SCALARS[text]) return PROTO_SCALARS[text];
  const full = text.includes('.') ? text : `${owner.slice(0, owner.lastIndexOf('.'))}.${text}`;
  return `@${full.replace(/^k8s\.io\./, 'io.k8s.')}`;
}

/** Go embeds these in the struct around them: JSON has their members one level higher. */
const EMBEDDED = [
  'handler',
  'volumeSource',
  'persistentVolumeSource',
  'localObjectReference',
  'ephemeralContainerCommon',
  'ingressRuleValue',
  'rule',
];

const goName = (name) => name.replace(/^io\.k8s\./, 'k8s.io.');

function message(name) {
  const fields = messages[goName(name)];
  if (!fields) throw new Error(`no message ${name}`);
  const json = Object.keys(types[name]?.properties ?? {});
  const result = {};
  for (const [number, field] of Object.entries(fields)) {
    const key = memberName(field.name, json);
    if (key) result[number] = `${key} ${field.repeated ? '[' : ''}${protoType(field.type, name)}`;
  }
  return result;
}

/** How JSON spells the field (`*`: not at all, it is embedded); undefined: JSON does not have it. */
function memberName(field, json) {
  const known = json.find((key) => key.toLowerCase() === field.toLowerCase());
  if (known) return known;
  if (EMBEDDED.includes(field)) return '*';
  return json.length === 0 ? field : undefined;
}

/** Long names shortened: `~` for the public API's prefix, `^` for that of meta/v1. */
const shorten = (text) => text.replaceAll(`${META}.`, '^').replaceAll('io.k8s.api.', '~');

function write(file, constant, comment, rows) {
  const lines = rows.map(([name, value]) => shorten(`${name} ${JSON.stringify(value)}`));
  const target = path.join(path.dirname(fileURLToPath(import.meta.url)), '../src/api/schema', file);
  writeFileSync(
    target,
    `// Made by scripts/make-tables.mjs. ${comment}\nexport const ${constant} = \`\n${lines.join('\n')}\n\`;\n`,
  );
  console.log(file, rows.length, 'definitions,', lines.join('\n').length, 'bytes');
}

write('schema.table.ts', 'SCHEMA_TEXT', 'See schema.ts for the notation.', closure(roots, definition));
// What has no protobuf form is sent as JSON by every client.
const sent = roots.filter((name) => messages[goName(name)]);
write('proto.table.ts', 'PROTO_TEXT', 'See proto.ts for the notation.', closure(sent, message));
