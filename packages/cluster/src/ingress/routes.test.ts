import { expect, test } from 'vitest';
import type { Ingress, IngressPath, IngressSpec } from '../kinds/network.ts';
import { CLASS_CONTROLLER, isOurs, routeTable } from './routes.ts';

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
const path = (path: string, name: string, pathType: IngressPath['pathType'] = 'Prefix') => ({
  path,
  pathType,
  backend: backend(name),
});

function ingress(spec: IngressSpec, creationTimestamp = '2026-01-01T00:00:00Z'): Ingress {
  const metadata = { name: 'i', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec };
}

const table = routeTable([
  ingress({
    rules: [
      { host: 'a.test', http: { paths: [path('/', 'root'), path('/foo', 'foo'), path('/foo/bar/', 'bar')] } },
      { host: 'a.test', http: { paths: [path('/foo', 'exact', 'Exact')] } },
      { host: '*.a.test', http: { paths: [path('/', 'wild')] } },
      { http: { paths: [path('/any', 'any')] } },
    ],
  }),
  ingress(
    { rules: [{ host: 'a.test', http: { paths: [path('/foo/bar', 'later')] } }] },
    '2026-02-01T00:00:00Z',
  ),
]);

test.each([
  ['a.test', '/', 'root'],
  ['A.TEST', '/other', 'root'],
  ['a.test', '/foo', 'exact'],
  ['a.test', '/foo/', 'foo'],
  ['a.test', '/foo/x', 'foo'],
  ['a.test', '/foobar', 'root'],
  ['a.test', '/foo/bar', 'bar'],
  ['a.test', '/foo/bar/deep', 'bar'],
  ['a.test', '/FOO/x', 'root'],
  ['x.a.test', '/y', 'wild'],
  ['x.y.a.test', '/y', undefined],
  ['b.test', '/any/thing', 'any'],
  ['b.test', '/anything', undefined],
])('%s%s goes to %s', (host, asked, expected) => {
  expect(table.find(host, asked)?.backend.service?.name).toBe(expected);
});

test('what nobody claims goes to the default backend, if there is one', () => {
  const withDefault = routeTable([ingress({ defaultBackend: backend('rest') })]);
  expect(withDefault.find('b.test', '/')).toMatchObject({ namespace: 'shop', backend: backend('rest') });
});

test('only ingresses of our classes are served', () => {
  const metadata = {
    name: 'nginx',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const ours = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata,
    spec: { controller: CLASS_CONTROLLER },
  };
  expect(isOurs(ingress({}), [])).toBe(true);
  expect(isOurs(ingress({ ingressClassName: 'nginx' }), [ours])).toBe(true);
  expect(isOurs(ingress({ ingressClassName: 'traefik' }), [ours])).toBe(false);
});
