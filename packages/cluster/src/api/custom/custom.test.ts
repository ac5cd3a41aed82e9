import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const SHIRTS = '/apis/shop.example.com/v1/namespaces/default/shirts';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

const SPEC_SCHEMA = {
  type: 'object',
  required: ['colour'],
  properties: {
    colour: { type: 'string', enum: ['red', 'blue'] },
    size: { type: 'integer', minimum: 1, maximum: 50, default: 40 },
    replicas: { type: 'integer' },
    port: { 'x-kubernetes-int-or-string': true },
    note: { type: 'string', nullable: true, maxLength: 5, pattern: '^[a-z]*$' },
    buttons: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, holes: { type: 'integer', default: 4 } },
      },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    tags: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } },
  },
};

function definition(changes: { group?: string; plural?: string; spec?: object; version?: object } = {}) {
  const { group = 'shop.example.com', plural = 'shirts' } = changes;
  const schema = {
    type: 'object',
    required: ['spec'],
    properties: { spec: SPEC_SCHEMA, status: { type: 'object', properties: { worn: { type: 'integer' } } } },
  };
  const first = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    subresources: {
      status: {},
      scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.worn' },
    },
    additionalPrinterColumns: [
      { name: 'Colour', type: 'string', jsonPath: '.spec.colour' },
      { name: 'First', type: 'string', jsonPath: '.spec.buttons[?(@.name=="top")].holes', priority: 1 },
    ],
    selectableFields: [{ jsonPath: '.spec.colour' }],
    ...changes.version,
  };
  const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const old = {
    name: 'v1beta1',
    served: true,
    storage: false,
    deprecated: true,
    schema: { openAPIV3Schema: free },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind: 'Shirt', shortNames: ['sh'], categories: ['all'] },
      versions: [first, old],
      ...changes.spec,
    },
  };
}

const shirt = (name: string, spec: object = { colour: 'red' }) => ({
  apiVersion: 'shop.example.com/v1',
  kind: 'Shirt',
  metadata: { name },
  spec,
});

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
  expect((await under.send('POST', DEFINITIONS, { body: definition() })).code).toBe(201);
});
afterAll(() => under.close());

const make = (name: string, spec?: object, query = '') =>
  under.send('POST', `${SHIRTS}${query}`, { body: shirt(name, spec) });
const change = (name: string, body: object, type = MERGE) =>
  under.send('PATCH', `${SHIRTS}/${name}${type === APPLY ? '?fieldManager=me' : ''}`, { body, type });

describe('a definition', () => {
  it('is established at once, discovered, described, and listed in tables', async () => {
    const { status } = (await under.send('GET', `${DEFINITIONS}/shirts.shop.example.com`)).body;
    expect(status).toMatchObject({
      acceptedNames: { plural: 'shirts', singular: 'shirt', kind: 'Shirt', listKind: 'ShirtList' },
      storedVersions: ['v1'],
      conditions: [
        { type: 'NamesAccepted', status: 'True' },
        { type: 'Established', status: 'True' },
      ],
    });
    const group = (await under.send('GET', '/apis/shop.example.com')).body;
    expect(group.preferredVersion.version).toBe('v1');
    expect(group.versions).toHaveLength(2);
    const listed = (await under.send('GET', '/apis/shop.example.com/v1')).body.resources;
    expect(listed.map(({ name }: { name: string }) => name)).toEqual([
      'shirts',
      'shirts/scale',
      'shirts/status',
    ]);
    expect(listed[0]).toMatchObject({ shortNames: ['sh'], categories: ['all'], singularName: 'shirt' });
    const index = (await under.send('GET', '/openapi/v3')).body.paths['apis/shop.example.com/v1'];
    const schemas = (await under.send('GET', index.serverRelativeURL)).body.components.schemas;
    expect(schemas['com.example.shop.v1.Shirt']).toMatchObject({
      properties: { spec: SPEC_SCHEMA },
      'x-kubernetes-group-version-kind': [{ group: 'shop.example.com', version: 'v1', kind: 'Shirt' }],
    });
    await make('shown', { colour: 'blue', buttons: [{ name: 'top' }] });
    const table = (
      await under.send('GET', `${SHIRTS}/shown`, {
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      })
    ).body;
    expect(table.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      'Name',
      'Colour',
      'First',
    ]);
    expect(table.rows[0].cells).toEqual(['shown', 'blue', '4']);
  });

  it.each([
    [{ plural: 'caps', version: { schema: undefined } }, 'schemas are required'],
    [{ plural: 'caps', version: { storage: false } }, 'exactly one version marked as storage'],
    [
      { plural: 'caps', version: { schema: { openAPIV3Schema: { type: 'string' } } } },
      'must be object at the root',
    ],
    [
      { plural: 'caps', version: { schema: { openAPIV3Schema: { type: 'object', properties: { a: {} } } } } },
      'must not be empty for specified object fields',
    ],
    [{ plural: 'caps', group: 'nodots' }, 'should be a domain with at least one dot'],
    [{ plural: 'caps', spec: { scope: 'World' } }, 'spec.scope: Unsupported value'],
    [
      {
        plural: 'caps',
        version: {
          schema: {
            openAPIV3Schema: { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
          },
        },
      },
      'must be a valid regular expression',
    ],
  ])('that is wrong is refused: %#', async (changes, words) => {
    const reply = await under.send('POST', DEFINITIONS, { body: definition(changes) });
    expect([reply.code, reply.body.message]).toEqual([422, expect.stringContaining(words)]);
  });

  it('whose names are taken is kept and not served', async () => {
    const reply = await under.send('POST', DEFINITIONS, { body: definition({ plural: 'vests' }) });
    expect(reply.body.status.conditions[0]).toMatchObject({ reason: 'NameConflict', status: 'False' });
    expect((await under.send('GET', '/apis/shop.example.com/v1/vests')).code).toBe(404);
  });

  it('says that rules in CEL are not evaluated', async () => {
    const schema = { type: 'object', 'x-kubernetes-validations': [{ rule: 'true' }] };
    const body = definition({
      plural: 'hats',
      group: 'cel.example.com',
      version: { schema: { openAPIV3Schema: schema }, subresources: {} },
    });
    const reply = await under.send('POST', DEFINITIONS, { body });
    expect([reply.code, reply.headers['warning']]).toEqual([201, expect.stringContaining('not evaluated')]);
  });
});

describe('objects of a custom kind', () => {
  it('get defaults that came later when they are read, by every way', async () => {
    const names = { plural: 'hats', singular: 'hat', kind: 'Hat', listKind: 'HatList' };
    const properties = { brim: { type: 'string' }, band: { type: 'string' } };
    const version = (withDefault: object) => ({
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: 'object', properties: { ...properties, ...withDefault } } },
    });
    const group = 'head.example.com';
    const body = (withDefault: object) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `hats.${group}` },
      spec: { group, scope: 'Cluster', names, versions: [version(withDefault)] },
    });
    const HATS = `/apis/${group}/v1/hats`;
    expect(await under.send('POST', DEFINITIONS, { body: body({}) })).toMatchObject({ code: 201 });
    const hat = { apiVersion: `${group}/v1`, kind: 'Hat', metadata: { name: 'bowler' } };
    expect(await under.send('POST', HATS, { body: hat })).toMatchObject({ code: 201 });
    const brim = { brim: { type: 'string', default: 'wide' } };
    await under.send('PATCH', `${DEFINITIONS}/hats.${group}`, {
      body: { spec: { versions: [version(brim)] } },
      type: MERGE,
    });
    expect((await under.send('GET', `${HATS}/bowler`)).body.brim).toBe('wide');
    expect((await under.send('GET', HATS)).body.items[0].brim).toBe('wide');
    const watch = await under.watch(`${HATS}?watch=true`);
    await expect.poll(() => watch.lines).toMatchObject([{ object: { brim: 'wide' } }]);
    watch.stop();
    const patched = await under.send('PATCH', `${HATS}/bowler`, { body: { band: 'red' }, type: MERGE });
    expect(patched.body).toMatchObject({ brim: 'wide', band: 'red' });
  });

  it('are defaulted, pruned and held against the schema', async () => {
    const made = await make('a', { colour: 'red', unknown: 1, free: { any: [1] }, buttons: [{ name: 'x' }] });
    expect(made.headers['warning']).toContain('unknown field');
    expect(made.body.spec).toEqual({
      colour: 'red',
      size: 40,
      free: { any: [1] },
      buttons: [{ name: 'x', holes: 4 }],
    });
    expect(
      (await make('b', { colour: 'red', unknown: 1 }, '?fieldValidation=Strict')).body.message,
    ).toContain('strict decoding error: unknown field "spec.unknown"');
    const bad = await make('b', {
      colour: 'green',
      size: 99,
      port: 1.5,
      note: 'TOO LONG',
      buttons: [{ name: 'x' }, { name: 'x' }],
    });
    expect(bad.code).toBe(422);
    expect(bad.body.details.causes.map(({ field }: { field: string }) => field)).toEqual([
      'spec.colour',
      'spec.size',
      'spec.port',
      'spec.note',
      'spec.note',
      'spec.buttons[1]',
    ]);
    expect((await make('b', {})).body.message).toContain('spec.colour: Required value');
    expect((await make('b', { colour: 'red', note: null })).code).toBe(201);
  });

  it('merge, apply by key with conflicts, and know no strategic merge', async () => {
    await make('c', { colour: 'red', buttons: [{ name: 'one' }], tags: { x: { a: '1' } } });
    const applied = shirt('c', { buttons: [{ name: 'two', holes: 2 }], tags: { x: {}, y: { a: '2' } } });
    const reply = await change('c', applied, APPLY);
    expect(reply.body.spec).toMatchObject({
      buttons: [
        { name: 'one', holes: 4 },
        { name: 'two', holes: 2 },
      ],
      tags: { x: { a: '1' }, y: { a: '2' } },
    });
    const conflict = await change('c', shirt('c', { colour: 'blue' }), APPLY);
    expect([conflict.code, conflict.body.details.causes[0].field]).toEqual([409, '.spec.colour']);
    expect((await change('c', {}, 'application/strategic-merge-patch+json')).code).toBe(415);
    const emptied = await change('c', shirt('c', {}), APPLY);
    expect(emptied.body.spec.buttons).toEqual([{ name: 'one', holes: 4 }]);
  });

  it('have a status and a scale of their own', async () => {
    await make('d', { colour: 'red', replicas: 1 });
    const generation = async () => (await under.send('GET', `${SHIRTS}/d`)).body.metadata.generation;
    await change('d', { status: { worn: 9 } });
    expect((await under.send('GET', `${SHIRTS}/d`)).body.status).toBeUndefined();
    const status = await under.send('PATCH', `${SHIRTS}/d/status`, {
      body: { status: { worn: 2 } },
      type: MERGE,
    });
    expect([status.body.status, await generation()]).toEqual([{ worn: 2 }, 1]);
    const bad = await under.send('PATCH', `${SHIRTS}/d/status`, {
      body: { status: { worn: 'x' } },
      type: MERGE,
    });
    expect(bad.code).toBe(422);
    const scaled = await under.send('PATCH', `${SHIRTS}/d/scale`, {
      body: { spec: { replicas: 7 } },
      type: MERGE,
    });
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 7 }, status: { replicas: 2 } });
    expect([(await under.send('GET', `${SHIRTS}/d`)).body.spec.replicas, await generation()]).toEqual([7, 2]);
  });

  it('are the same in every version, selectable by the fields that were named', async () => {
    await make('e', { colour: 'blue' });
    const old = await under.send('GET', SHIRTS.replace('/v1/', '/v1beta1/'));
    expect(old.body).toMatchObject({ kind: 'ShirtList', apiVersion: 'shop.example.com/v1beta1' });
    expect(new Set(old.body.items.map((item: { apiVersion: string }) => item.apiVersion))).toEqual(
      new Set(['shop.example.com/v1beta1']),
    );
    const path = `${SHIRTS.replace('/v1/', '/v1beta1/')}/e`;
    const patched = await under.send('PATCH', path, { body: { spec: { size: 2 } }, type: MERGE });
    expect([patched.body.apiVersion, patched.headers['warning']]).toEqual([
      'shop.example.com/v1beta1',
      expect.stringContaining('deprecated'),
    ]);
    expect((await under.send('GET', `${SHIRTS}/e`)).body).toMatchObject({
      apiVersion: 'shop.example.com/v1',
      spec: { colour: 'blue', size: 2 },
    });
    const blue = (await under.send('GET', `${SHIRTS}?fieldSelector=spec.colour=blue`)).body.items;
    expect(blue.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['e', 'shown']);
    expect((await under.send('GET', `${SHIRTS}?fieldSelector=spec.size=2`)).code).toBe(400);
  });

  it('cannot reach the prototype of anything', async () => {
    const body = Buffer.from(
      '{"metadata":{"name":"evil"},"spec":{"colour":"red","free":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}}',
    );
    await under.send('POST', SHIRTS, { body });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

it('a definition takes its objects along, after their finalizers; then nothing of it is served', async () => {
  await make('held');
  await change('held', { metadata: { finalizers: ['example.com/hold'] } });
  const watch = await under.watch(`${SHIRTS}?watch=true`);
  expect((await under.send('DELETE', `${DEFINITIONS}/shirts.shop.example.com`)).code).toBe(200);
  const left = await under.send('GET', SHIRTS);
  expect(left.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['held']);
  const { body } = await under.send('GET', `${DEFINITIONS}/shirts.shop.example.com`);
  expect(body.status.conditions.at(-1)).toMatchObject({ type: 'Terminating', status: 'True' });
  expect((await make('late')).code).toBe(405);
  await change('held', { metadata: { finalizers: null } });
  expect((await under.send('GET', `${DEFINITIONS}/shirts.shop.example.com`)).code).toBe(404);
  expect((await under.send('GET', SHIRTS)).code).toBe(404);
  // The one that wanted the same names has them now.
  expect((await under.send('GET', '/apis/shop.example.com/v1/vests')).code).toBe(200);
  expect(watch.lines.at(-1)).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'held' } } });
  watch.stop();
});
