import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { isAnsibleInstalled, play } from './testing/clients.ts';
import { deployment } from './testing/manifests.ts';

const installed = await isAnsibleInstalled();
if (!installed)
  console.log('ansible with kubernetes.core and the Python client is not installed: its tests are skipped');

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const k8s = (options: object) => ({ 'kubernetes.core.k8s': options });

describe.skipIf(!installed)('kubernetes.core', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'registry', namespace: 'env' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'env' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  };
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'env' },
    spec: {
      rules: [
        {
          host: 'web.localhost',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  };
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'applied', namespace: 'env' },
    data: { a: '1' },
  };
  const present = [
    k8s({ state: 'present', api_version: 'v1', kind: 'Namespace', name: 'env' }),
    ...[secret, service, ingress, deployment('web', { namespace: 'env' })].map((definition) =>
      k8s({ state: 'present', definition }),
    ),
    k8s({
      state: 'present',
      apply: true,
      definition: { ...map, metadata: { ...map.metadata, name: 'client-side' } },
    }),
    k8s({ state: 'present', apply: true, server_side_apply: { field_manager: 'ansible' }, definition: map }),
  ];

  it('makes everything once and finds nothing to change the second time', async () => {
    const first = await play(under, 'present', present);
    expect(first.recap, first.output).toBe('ok=7 changed=7 unreachable=0 failed=0');
    expect((await play(under, 'present', present)).recap).toBe('ok=7 changed=0 unreachable=0 failed=0');
  });

  it('reads, scales, patches, and removes until it is gone', async () => {
    const named = { api_version: 'apps/v1', kind: 'Deployment', namespace: 'env', name: 'web' };
    const tasks = [
      {
        'kubernetes.core.k8s_info': {
          kind: 'Deployment',
          namespace: 'env',
          label_selectors: ['nosuch=label'],
        },
        register: 'missing',
      },
      { 'kubernetes.core.k8s_info': named, register: 'found' },
      {
        'ansible.builtin.assert': {
          that: ['missing.resources | length == 0', 'found.resources | length == 1'],
        },
      },
      { 'kubernetes.core.k8s_scale': { ...named, replicas: 3, wait: false } },
      {
        'kubernetes.core.k8s_json_patch': {
          ...named,
          patch: [{ op: 'replace', path: '/spec/replicas', value: 2 }],
        },
      },
      k8s({ ...named, state: 'absent', wait: true, wait_timeout: 10 }),
      k8s({ ...named, state: 'absent', wait: true, wait_timeout: 10 }),
    ];
    const result = await play(under, 'rest', tasks);
    expect(result.recap, result.output).toBe('ok=7 changed=3 unreachable=0 failed=0');
    expect(under.store.get('deployments.apps', 'env', 'web')).toBeUndefined();
  });
});
