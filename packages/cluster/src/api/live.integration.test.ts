import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run, start } from '@updraft/kit';
import type { RunResult } from '@updraft/kit';
import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { LiveCluster } from '../testing/live-cluster.ts';
import { findKubectl, isAnsibleInstalled, play } from './testing/clients.ts';

// What users do, with real clients, real controllers and real containers.
const kubectl = await findKubectl();
const ansible = await isAnsibleInstalled();
if (!kubectl || !ansible)
  console.log('kubectl or ansible is missing: their tests with a live cluster are skipped');

/** Answers on its own loopback alone, and repeats what it is told. */
const PRIVATE = `require('node:http').createServer((q, r) => r.end('inside')).listen(9090, '127.0.0.1');
process.stdin.on('data', (d) => process.stdout.write('heard ' + d)).on('end', () => process.exit(0));
console.log('listening');`;

const SERVER = `require('node:http').createServer((q, r) => r.end('ok')).listen(8080, () => console.log('serving'));
process.on('SIGTERM', () => process.exit(0));`;

let live: LiveCluster;
let dir: string;
let kubeconfig: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-live-'));
  live = await startLiveCluster({
    'app:1': { Cmd: [NODE_IN_CONTAINER, '-e', SERVER] },
    'private:1': { Cmd: [NODE_IN_CONTAINER, '-e', PRIVATE] },
  });
  kubeconfig = path.join(dir, 'kubeconfig');
  await writeFile(kubeconfig, live.cluster.kubeconfig('127.0.0.1'), { mode: 0o600 });
});
afterAll(async () => {
  await live?.close();
  await rm(dir, { recursive: true });
});

function kube(
  args: string,
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<RunResult> {
  const { input, env } = options;
  const all = { KUBECONFIG: kubeconfig, HOME: dir, ...env };
  return run(kubectl ?? '', args.split(' '), input === undefined ? { env: all } : { env: all, input });
}

async function succeeds(args: string): Promise<string> {
  const result = await kube(args);
  expect(result.code, `kubectl ${args}: ${result.stderr}`).toBe(0);
  return result.stdout;
}

function web(namespace: string) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'app:1',
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

describe.skipIf(!kubectl)('kubectl and a live cluster', () => {
  it('applies, waits, looks, logs, executes, restarts, scales, deletes', async () => {
    await succeeds('create namespace shop');
    const file = path.join(dir, 'web.yaml');
    await writeFile(file, stringify(web('shop')));
    await succeeds(`apply -f ${file}`);
    expect(await succeeds('rollout status deployment/web -n shop --timeout=30s')).toContain(
      'successfully rolled out',
    );
    expect(await succeeds('get pods -A')).toMatch(/shop +web-\w+-\w+ +1\/1 +Running +0/);
    expect(await succeeds('get nodes')).toMatch(/ Ready /);
    expect(await succeeds('logs deployment/web -n shop --tail=1')).toContain('serving');
    const inside = await kube(`exec deployment/web -n shop -- ${NODE_IN_CONTAINER} -e process.exit(3)`);
    expect(inside.code).toBe(3);
    expect(await succeeds('describe pods -n shop -l app=web')).toMatch(/Status: +Running/);
    await succeeds('rollout restart deployment/web -n shop');
    await succeeds('rollout status deployment/web -n shop --timeout=30s');
    await succeeds('scale deployment/web -n shop --replicas=1');
    await succeeds('wait --for=jsonpath={.status.replicas}=1 deployment/web -n shop --timeout=30s');
    expect(await succeeds('delete namespace shop --timeout=30s')).toContain('deleted');
    expect(await succeeds('get pods -A -o name')).toBe('');
  });
});

/** With WebSockets, and as kubectl before 1.30 and 1.31 did it. */
const CARRIERS: readonly Record<string, string>[] = [
  {},
  { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
];

describe.skipIf(!kubectl).each(CARRIERS)('streams of a real container, %o', (env) => {
  const name = Object.keys(env).length === 0 ? 'new' : 'old';

  it('attaches, runs with input, and forwards to what only the pod itself can reach', async () => {
    const flags = '--image=private:1 --image-pull-policy=Never --restart=Never --stdin';
    const ran = await kube(`run ${name}-once ${flags} --rm`, { input: 'me', env });
    expect(ran.stdout, ran.stderr).toContain('heard me');
    await succeeds(`run ${name} ${flags} --attach=false`);
    await succeeds(`wait --for=condition=Ready pod/${name} --timeout=30s`);
    const forward = await start(kubectl ?? '', ['port-forward', `pod/${name}`, ':9090', ':1'], {
      env: { KUBECONFIG: kubeconfig, HOME: dir, ...env },
    });
    const said: string[] = [];
    for (const stream of [forward.stdout, forward.stderr])
      stream?.on('data', (chunk) => said.push(String(chunk)));
    const portTo = (port: number) => new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${port}`).exec(said.join(''))?.[1];
    await live.until('both ports are forwarded', () => portTo(9090) !== undefined && portTo(1) !== undefined);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`http://127.0.0.1:${portTo(9090)}/`).then((reply) => reply.text()),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(['inside']));
    await expect(fetch(`http://127.0.0.1:${portTo(1)}/`)).rejects.toThrow();
    await live.until('the error is told', () => said.join('').includes('ECONNREFUSED 127.0.0.1:1'));
    forward.kill('SIGKILL');
    await forward.exited;
    await succeeds(`delete pod ${name} --now`);
  });
});

describe.skipIf(!ansible)('kubernetes.core and a live cluster', () => {
  it('waits for what it makes, finds nothing to change, waits until all is gone', async () => {
    const k8s = (options: object) => ({
      'kubernetes.core.k8s': { wait: true, wait_sleep: 1, wait_timeout: 60, ...options },
    });
    const space = { api_version: 'v1', kind: 'Namespace', name: 'env' };
    const present = [k8s({ ...space, state: 'present' }), k8s({ state: 'present', definition: web('env') })];
    const first = await play({ kubeconfig, dir }, 'present', present);
    expect(first.recap, first.output).toBe('ok=2 changed=2 unreachable=0 failed=0');
    const again = await play({ kubeconfig, dir }, 'present', present);
    expect(again.recap, again.output).toBe('ok=2 changed=0 unreachable=0 failed=0');
    const absent = await play({ kubeconfig, dir }, 'absent', [k8s({ ...space, state: 'absent' })]);
    expect(absent.recap, absent.output).toBe('ok=1 changed=1 unreachable=0 failed=0');
    expect((await live.api('GET', '/api/v1/namespaces/env')).code).toBe(404);
  });

  it('looks, executes, reads logs, scales, applies by the server, drains', async () => {
    const core = (module: string, options: object, then: object = {}) => ({
      [`kubernetes.core.${module}`]: { kubeconfig, ...options },
      ...then,
    });
    const pods = { kind: 'Pod', namespace: 'ops', label_selectors: ['app=web'] };
    const pod = '{{ pods.resources[0].metadata.name }}';
    const deployment = { api_version: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'ops' };
    const server = { apply: true, server_side_apply: { field_manager: 'book' } };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'ops' } };
    const node = '{{ nodes.resources[0].metadata.name }}';
    const book = [
      core('k8s', { api_version: 'v1', kind: 'Namespace', name: 'ops' }),
      core('k8s', { definition: web('ops'), wait: true, wait_sleep: 1 }),
      core('k8s_info', pods, { register: 'pods' }),
      { 'ansible.builtin.assert': { that: 'pods.resources | length == 2' } },
      core(
        'k8s_exec',
        { namespace: 'ops', pod, command: `${NODE_IN_CONTAINER} -p 6*7` },
        { register: 'ran' },
      ),
      { 'ansible.builtin.assert': { that: "ran.stdout | trim == '42' and ran.rc == 0" } },
      core('k8s_log', { namespace: 'ops', name: pod }, { register: 'log' }),
      { 'ansible.builtin.assert': { that: "'serving' in log.log" } },
      core('k8s_scale', { ...deployment, replicas: 3, wait_timeout: 60 }),
      core('k8s', { definition: { ...map, data: { a: 'b' } }, ...server }),
      core('k8s', { definition: { ...map, data: { c: 'd' } }, ...server }),
      core('k8s_info', { kind: 'ConfigMap', name: 'm', namespace: 'ops' }, { register: 'maps' }),
      { 'ansible.builtin.assert': { that: "maps.resources[0].data == {'c': 'd'}" } },
      core('k8s_info', { kind: 'Node' }, { register: 'nodes' }),
      core('k8s_drain', { name: node, state: 'cordon' }),
      core('k8s_drain', {
        name: node,
        state: 'drain',
        delete_options: { terminate_grace_period: 1, force: true },
      }),
      core('k8s_drain', { name: node, state: 'uncordon' }),
      core('k8s', { ...deployment, state: 'absent', wait: true }),
    ];
    const played = await play({ kubeconfig, dir }, 'operations', book);
    expect(played.recap, played.output).toContain('failed=0');
  }, 240_000);
});
