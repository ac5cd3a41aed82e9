import { afterEach, beforeEach, expect, test } from 'vitest';
import { endpointsController } from '../controllers/endpoints/endpoints.ts';
import { startPlane } from '../testing/control-plane.ts';
import type { TestPlane } from '../testing/control-plane.ts';
import { clusterZone } from './zone.ts';

let plane: TestPlane;
beforeEach(async () => {
  plane = startPlane((context) => [endpointsController(context)]);
  const { objects } = plane.context;
  const service = (name: string, clusterIP: string) =>
    objects.create('services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'shop' },
      spec: { clusterIP, selector: { app: 'db' }, ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
    });
  service('web', '10.2.0.9');
  service('db', 'None');
  const pod = objects.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db-0', namespace: 'shop', labels: { app: 'db' } },
    spec: { hostname: 'db-0', subdomain: 'db', containers: [] },
  });
  plane.ready(pod);
  await plane.controllers.idle();
});
afterEach(() => plane.stop());

const ranges = { podCidr: '10.1.0.0/20', serviceCidr: '10.2.0.0/20' };

const lookup = (name: string, type: 'A' | 'SRV' | 'PTR' | 'AAAA' = 'A') => {
  const answers = clusterZone(plane.context.objects, 'cluster.local', ranges).lookup(name, type);
  return Array.isArray(answers) ? answers.map(({ data }) => data as string) : answers;
};

test.each([
  ['web.shop.svc.cluster.local', ['10.2.0.9']],
  ['db.shop.svc.cluster.local', ['10.1.0.2']],
  ['db-0.db.shop.svc.cluster.local', ['10.1.0.2']],
  ['10-1-0-2.shop.pod.cluster.local', ['10.1.0.2']],
  ['nobody.shop.svc.cluster.local', 'NXDOMAIN'],
  ['x.db.shop.svc.cluster.local', 'NXDOMAIN'],
  ['web.other.svc.cluster.local', 'NXDOMAIN'],
  ['example.com', undefined],
])('%s', (name, expected) => {
  expect(lookup(name)).toEqual(expected);
});

test('names without IPv6 addresses exist; ports and addresses are found', () => {
  expect(lookup('web.shop.svc.cluster.local', 'AAAA')).toEqual([]);
  expect(lookup('_sql._tcp.web.shop.svc.cluster.local', 'SRV')).toEqual([
    '0 100 5432 web.shop.svc.cluster.local',
  ]);
  expect(lookup('_sql._tcp.db.shop.svc.cluster.local', 'SRV')).toEqual([
    '0 100 5432 db-0.db.shop.svc.cluster.local',
  ]);
  expect(lookup('9.0.2.10.in-addr.arpa', 'PTR')).toEqual(['web.shop.svc.cluster.local']);
});

test('addresses of pods lead back to their names; others of the cluster to none, foreign ones elsewhere', () => {
  expect(lookup('2.0.1.10.in-addr.arpa', 'PTR')).toContain('db-0.db.shop.svc.cluster.local');
  expect(lookup('9.9.1.10.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
  expect(lookup('8.8.8.8.in-addr.arpa', 'PTR')).toBeUndefined();
});

test('a Service of the type ExternalName is another name, whatever is asked', () => {
  plane.context.objects.create('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'far', namespace: 'shop' },
    spec: { type: 'ExternalName', externalName: 'www.example.org.' },
  });
  const zone = clusterZone(plane.context.objects, 'cluster.local', ranges);
  const answer = [{ type: 'CNAME', ttlSeconds: 5, data: 'www.example.org' }];
  expect(zone.lookup('far.shop.svc.cluster.local', 'A')).toEqual(answer);
  expect(zone.lookup('far.shop.svc.cluster.local', 'AAAA')).toEqual(answer);
  expect(zone.lookup('x.far.shop.svc.cluster.local', 'A')).toBe('NXDOMAIN');
});
