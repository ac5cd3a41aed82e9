import { run } from '@updraft/kit';
import type { RunResult } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { findKubectl } from './testing/clients.ts';
import { deployment } from './testing/manifests.ts';

const kubectl = await findKubectl();
let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

/** Words that hold blanks are given apart. */
async function kube(args: string, ...more: readonly string[]): Promise<RunResult> {
  const env = { KUBECONFIG: under.kubeconfig, HOME: under.dir };
  return run(kubectl ?? '', [...args.split(' '), ...more], { env });
}

async function apply(manifest: object): Promise<string> {
  const env = { KUBECONFIG: under.kubeconfig, HOME: under.dir };
  const result = await run(kubectl ?? '', ['apply', '-f', '-'], { env, input: stringify(manifest) });
  expect(result.stderr).toBe('');
  return result.stdout;
}

describe.skipIf(!kubectl)('kubectl', () => {
  it('changes a strategy and the kind of a volume: their old members go', async () => {
    const before = deployment('kept');
    const { spec } = before;
    const pod = spec.template.spec;
    await apply({
      ...before,
      spec: { ...spec, template: { ...spec.template, spec: { ...pod, volumes: [{ name: 'v' }] } } },
    });
    const volumes = [{ name: 'v', hostPath: { path: '/data' } }];
    const template = { ...spec.template, spec: { ...pod, volumes } };
    await apply({ ...before, spec: { ...spec, strategy: { type: 'Recreate' }, template } });
    const { body } = await under.send('GET', '/apis/apps/v1/namespaces/default/deployments/kept');
    expect(body.spec.strategy).toEqual({ type: 'Recreate' });
    expect(body.spec.template.spec.volumes).toEqual([{ name: 'v', hostPath: { path: '/data', type: '' } }]);
  });

  it('scales a ReplicationController', async () => {
    const template = {
      metadata: { labels: { app: 'old' } },
      spec: { containers: [{ name: 'c', image: 'web:1' }] },
    };
    const spec = { replicas: 1, template };
    await apply({ apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'old' }, spec });
    const scaled = await kube('scale rc old --current-replicas=1 --replicas=2');
    expect(scaled.stderr).toBe('');
    expect(scaled.stdout).toBe('replicationcontroller/old scaled\n');
  });
});
