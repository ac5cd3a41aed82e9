import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, run } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { deployment } from './testing/manifests.ts';

async function isInstalled(): Promise<boolean> {
  try {
    const [doc, client] = await Promise.all([
      run('ansible-doc', ['-t', 'module', '-s', 'kubernetes.core.k8s']),
      run('/usr/bin/python3', ['-c', 'import kubernetes']),
    ]);
    return doc.code === 0 && client.code === 0;
  } catch (error) {
    if (codeOf(error) === 'PROGRAM_MISSING') return false;
    throw error;
  }
}

const installed = await isInstalled();
if (!installed)
  console.log('ansible with kubernetes.core and the Python client is not installed: its tests are skipped');

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

async function play(
  name: string,
  tasks: readonly object[],
): Promise<{ code: number | undefined; recap: string; output: string }> {
  const modules = ['k8s', 'k8s_info', 'k8s_scale', 'k8s_json_patch'].map((module) => [
    `kubernetes.core.${module}`,
    { kubeconfig: under.kubeconfig },
  ]);
  const book = {
    hosts: 'localhost',
    connection: 'local',
    gather_facts: false,
    module_defaults: Object.fromEntries(modules) as object,
    vars: { ansible_python_interpreter: '/usr/bin/python3' },
    tasks,
  };
  const file = path.join(under.dir, `${name}.yml`);
  await writeFile(file, stringify([book]));
  const env = { HOME: under.dir, ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCAL_TEMP: path.join(under.dir, 'tmp') };
  const result = await run('ansible-playbook', [file], { env });
  const recap =
    /ok=\d+ +changed=\d+ +unreachable=\d+ +failed=\d+/.exec(result.stdout)?.[0].replaceAll(/ +/g, ' ') ?? '';
  return { code: result.code, recap, output: result.stdout };
}

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
    const first = await play('present', present);
    expect(first.recap, first.output).toBe('ok=7 changed=7 unreachable=0 failed=0');
    expect((await play('present', present)).recap).toBe('ok=7 changed=0 unreachable=0 failed=0');
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
    const result = await play('rest', tasks);
    expect(result.recap, result.output).toBe('ok=7 changed=3 unreachable=0 failed=0');
    expect(under.store.get('deployments.apps', 'env', 'web')).toBeUndefined();
  });
});
