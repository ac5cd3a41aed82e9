import path from 'node:path';
import { run, writeFileAtomic } from '@updraft/kit';
import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findKubectl } from '../api/testing/clients.ts';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { LiveCluster } from '../testing/live-cluster.ts';

const program = await findKubectl();
const SLEEP = [
  NODE_IN_CONTAINER,
  '-e',
  'setInterval(() => {}, 1e6); process.on("SIGTERM", () => process.exit(0))',
];

let live: LiveCluster;
beforeAll(async () => {
  live = await startLiveCluster({ 'app:1': { Cmd: SLEEP }, 'app:2': { Cmd: SLEEP } });
});
afterAll(() => live.close());

async function kubectl(...args: string[]): Promise<string> {
  const file = path.join(live.platform.dir, 'kubeconfig');
  await writeFileAtomic(file, live.cluster.kubeconfig('127.0.0.1'), { mode: 0o600 });
  const env = { HOME: live.platform.dir };
  const { stdout, stderr, code } = await run(program ?? '', ['--kubeconfig', file, ...args], { env });
  return `${stdout}${stderr}(${code})`;
}

async function apply(kind: string, more: object = {}): Promise<void> {
  const plural = `${kind.toLowerCase()}s`;
  const template = {
    metadata: { labels: { app: 'x' } },
    spec: { containers: [{ name: 'c', image: 'app:1' }] },
  };
  const { code } = await live.api('POST', `/apis/apps/v1/namespaces/default/${plural}`, {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'x', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'x' } }, template, ...more },
  });
  expect(code).toBe(201);
}

const imageOf = (kind: string) =>
  kubectl('get', kind, 'x', '-o', 'jsonpath={.spec.template.spec.containers[0].image}');

test.runIf(program)(
  'kubectl rolls each kind back, measures it, and drains the node as budgets allow',
  async () => {
    for (const kind of ['StatefulSet', 'DaemonSet']) {
      await apply(kind, kind === 'StatefulSet' ? { serviceName: 'x' } : {});
      expect(await kubectl('rollout', 'status', kind, 'x', '--timeout=40s')).toContain('(0)');
      await kubectl('set', 'image', `${kind}/x`, 'c=app:2');
      expect(await kubectl('rollout', 'status', kind, 'x', '--timeout=40s')).toContain('(0)');
      expect(await kubectl('rollout', 'history', kind, 'x')).toMatch(/1 .*\n2 /);
      expect(await kubectl('rollout', 'undo', kind, 'x')).toContain('rolled back');
      expect(await imageOf(kind)).toBe('app:1(0)');
      await kubectl('delete', kind, 'x', '--wait=true');
    }
    await apply('Deployment');
    expect(await kubectl('rollout', 'status', 'deployment', 'x', '--timeout=40s')).toContain('(0)');
    expect(await kubectl('top', 'pods')).toMatch(/x-\S+ +\d+m +\d+Mi/);
    expect(await kubectl('top', 'nodes')).toMatch(/\d+m +\d+%/);
    await kubectl('create', 'poddisruptionbudget', 'x', '--selector=app=x', '--min-available=1');
    const node = (await kubectl('get', 'nodes', '-o', 'name')).split('\n')[0] ?? '';
    const name = node.replace('node/', '');
    const refused = await kubectl('drain', name, '--timeout=4s', '--force');
    expect(refused).toContain("Cannot evict pod as it would violate the pod's disruption budget");
    await kubectl('delete', 'poddisruptionbudget', 'x');
    expect(await kubectl('drain', name, '--timeout=30s', '--force')).toMatch(/(drained|evicted)[^]*\(0\)/);
    expect(await kubectl('get', 'pods')).toContain('Pending');
    await kubectl('uncordon', name);
    expect(await kubectl('rollout', 'status', 'deployment', 'x', '--timeout=40s')).toContain('(0)');
  },
  240_000,
);
