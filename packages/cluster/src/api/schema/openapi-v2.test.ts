import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';
import { encodeSwagger } from './openapi-v2-protobuf.ts';

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** Reads one message of protobuf: what a client does with our bytes. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const lengthOrValue = varint();
    if (tag % 8 === 2) at += lengthOrValue;
    const value = tag % 8 === 2 ? bytes.subarray(at - lengthOrValue, at) : lengthOrValue;
    fields.push({ number: Math.floor(tag / 8), value });
  }
  return fields;
}

/** Goes down along the numbers; `name=` picks the entry of a map. */
function at(bytes: Buffer, ...path: readonly (number | string)[]): (string | number)[] {
  let found: (Buffer | number)[] = [bytes];
  for (const step of path) {
    found = found.flatMap((message) => {
      if (typeof message === 'number') return [];
      const fields = fieldsOf(message);
      if (typeof step === 'number')
        return fields.filter(({ number }) => number === step).map(({ value }) => value);
      return String(fields.find(({ number }) => number === 1)?.value) === step
        ? fields.filter(({ number }) => number === 2).map(({ value }) => value)
        : [];
    });
  }
  return found.map((value) => (typeof value === 'number' ? value : value.toString('utf8')));
}

describe('OpenAPI v2 as protobuf', () => {
  let under: ApiUnderTest;
  const swagger = async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const reply = await under.send('GET', '/openapi/v2', { headers: { accept } });
    expect(reply.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    return reply.bytes;
  };
  beforeAll(async () => {
    under = await startApi();
  });
  afterAll(() => under.close());

  it('says what the members of each kind are, and that writes may be a dry run', async () => {
    const bytes = await swagger();
    expect(at(bytes, 1)).toEqual(['2.0']);
    const spec = [9, 1, 'io.k8s.api.apps.v1.DeploymentSpec', 25, 1];
    expect(at(bytes, ...spec, 'replicas', 22, 1)).toEqual(['integer']);
    expect(at(bytes, ...spec, 'template', 1)).toEqual(['#/definitions/io.k8s.api.core.v1.PodTemplateSpec']);
    const strategy = [...spec, 'strategy'];
    expect(at(bytes, ...strategy, 1)).toEqual(['#/definitions/io.k8s.api.apps.v1.DeploymentStrategy']);
    expect(at(bytes, ...strategy, 31, 'x-kubernetes-patch-strategy', 2)).toEqual(['"retainKeys"']);
    const containers = [9, 1, 'io.k8s.api.core.v1.PodSpec', 25, 1, 'containers'];
    expect(at(bytes, ...containers, 23, 1, 1)).toEqual(['#/definitions/io.k8s.api.core.v1.Container']);
    expect(at(bytes, ...containers, 31, 'x-kubernetes-patch-merge-key', 2)).toEqual(['"name"']);
    const kind = [9, 1, 'io.k8s.api.core.v1.Pod', 31, 'x-kubernetes-group-version-kind', 2];
    expect(at(bytes, ...kind)).toEqual(['[{"group":"","version":"v1","kind":"Pod"}]']);
    const labels = [9, 1, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', 25, 1, 'labels'];
    expect(at(bytes, ...labels, 21, 1, 22, 1)).toEqual(['string']);
    const patch = [8, 2, '/api/v1/namespaces/{namespace}/pods/{name}', 8];
    expect(at(bytes, ...patch, 8, 1, 2, 3, 4)).toContain('dryRun');
    expect(at(bytes, ...patch, 13, 'x-kubernetes-group-version-kind', 2)).toEqual([
      '{"group":"","version":"v1","kind":"Pod"}',
    ]);
  });

  it('keeps members whose names are words of the schema language itself', async () => {
    const { body } = await under.send('GET', '/openapi/v2');
    const name = Object.keys(body.definitions).find((each) => each.endsWith('.JSONSchemaProps')) ?? '';
    expect(Object.keys(body.definitions[name].properties)).toEqual(
      expect.arrayContaining(['allOf', 'oneOf', 'not', 'nullable', 'type', 'properties']),
    );
  });

  it('says what the members of all objects are for', async () => {
    const { definitions } = (await under.send('GET', '/openapi/v2')).body;
    const { metadata, apiVersion } = definitions['io.k8s.api.core.v1.ConfigMap'].properties;
    expect(metadata).toMatchObject({ $ref: expect.any(String), description: expect.any(String) });
    expect(apiVersion.description).toContain('group');
    const meta = definitions['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'].properties;
    const silent = Object.keys(meta).filter((name) => !meta[name].description);
    expect(silent).toEqual([]);
    expect(definitions['io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference'].properties.kind).toEqual({
      type: 'string',
    });
  });

  it('holds nothing against what a definition leaves open', async () => {
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            closed: { type: 'object', properties: { size: { type: 'integer' } } },
            open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            perhaps: { type: 'string', nullable: true },
            port: { 'x-kubernetes-int-or-string': true },
          },
        },
      },
    };
    await under.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'hats.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'hats', kind: 'Hat' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      },
    });
    const bytes = await swagger();
    const spec = [9, 1, 'com.example.v1.Hat', 25, 1, 'spec', 25, 1];
    expect(at(bytes, ...spec, 'closed', 22, 1)).toEqual(['object']);
    expect(at(bytes, ...spec, 'closed', 25, 1, 'size', 22, 1)).toEqual(['integer']);
    for (const open of ['open', 'perhaps', 'port']) expect(at(bytes, ...spec, open, 22)).toEqual([]);
  });

  it('writes lengths of more than one byte, and booleans', () => {
    const description = 'ä'.repeat(20_000);
    const bytes = encodeSwagger({
      definitions: { Any: { description, additionalProperties: true, 'x-more': [1] } },
    });
    expect(at(bytes, 9, 1, 'Any', 4)).toEqual([description]);
    expect(at(bytes, 9, 1, 'Any', 21, 2)).toEqual([1]);
    expect(at(bytes, 9, 1, 'Any', 31, 'x-more', 2)).toEqual(['[1]']);
  });
});
