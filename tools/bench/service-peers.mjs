// What the address book is measured against: node:http that answers one text to everything, and the shortest port to
// Fastify that anybody would write: no log, no request ids, no ETag, no limits, no metrics. Prints its port and ends
// with its standard input.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import fastify from 'fastify';

const service = new URL('../../src/', import.meta.url);
const read = (name) => readFileSync(new URL(name, service), 'utf8');
const here = { host: '127.0.0.1', port: 0 };

function bare() {
  const body = read('data/addresses/namo.json');
  const server = createServer((_request, response) => response.end(body));
  server.listen(here, () => console.log(server.address().port));
}

async function naive() {
  const strict = { coerceTypes: false, removeAdditional: false, useDefaults: false, allowUnionTypes: true };
  const app = fastify({ logger: false, ajv: { customOptions: { ...strict, strict: false } } });
  const entries = new Map();
  const body = JSON.parse(read('schema/address-entry.schema.json'));
  app.post('/addresses', { schema: { body } }, async (request, reply) => {
    const id = randomBytes(16).toString('hex');
    entries.set(id, request.body);
    reply.code(201).header('location', `/addresses/${id}`);
    return '';
  });
  app.get('/addresses', async () => Object.fromEntries(entries));
  app.get('/addresses/:id', async (request, reply) => {
    const entry = entries.get(request.params.id);
    return entry ?? reply.code(404).send({});
  });
  await app.listen(here);
  console.log(app.server.address().port);
}

process.stdin.resume().once('end', () => process.exit());
if (process.argv[2] === 'bare') bare();
else await naive();
