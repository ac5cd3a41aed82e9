import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';

const CLASSES = '/apis/networking.k8s.io/v1/ingressclasses';
const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const ingressClass = (name: string, annotations: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name, annotations },
  spec: { controller: 'example.org/ingress' },
});
const create = async (name: string, annotations: object, spec: object) => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const made = await under.send('POST', INGRESSES, {
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, annotations },
      spec: { defaultBackend: backend, ...spec },
    },
  });
  expect(made.code).toBe(201);
  return made.body.spec.ingressClassName;
};

it('gives an ingress that names no class the default one, when there is one', async () => {
  await under.send('POST', CLASSES, { body: ingressClass('plain', {}) });
  expect(await create('before', {}, {})).toBeUndefined();
  const standard = ingressClass('standard', { 'ingressclass.kubernetes.io/is-default-class': 'true' });
  await under.send('POST', CLASSES, { body: standard });
  expect(await create('after', {}, {})).toBe('standard');
  expect(await create('named', {}, { ingressClassName: 'plain' })).toBe('plain');
  expect(await create('old', { 'kubernetes.io/ingress.class': 'plain' }, {})).toBeUndefined();
  const replaced = await under.send('PATCH', `${INGRESSES}/before`, {
    body: { metadata: { labels: { a: 'b' } } },
    type: 'application/merge-patch+json',
  });
  expect(replaced.body.spec).not.toHaveProperty('ingressClassName');
});
