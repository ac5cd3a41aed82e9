import { expect, it } from 'vitest';
import type { JsonSchema } from './json-schema.ts';
import { prune } from './shape-value.ts';

it('a whole object within another has the metadata of objects, whatever else is kept of it', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      inner: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  };
  const unknown: string[] = [];
  const metadata = { name: 'n', labels: { a: 'b' } };
  const value = { inner: { kind: 'K', metadata: { ...metadata, strange: 1 }, anything: true } };
  expect(prune(schema, value, { path: '', unknown })).toEqual({
    inner: { kind: 'K', metadata, anything: true },
  });
  expect(unknown).toEqual(['inner.metadata.strange']);
});
