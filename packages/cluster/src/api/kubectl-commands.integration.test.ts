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

  it('goes over to server-side apply, and back', async () => {
    const map = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data });
    await apply(map({ kept: '1', legacy: '1' }));
    const env = { KUBECONFIG: under.kubeconfig, HOME: under.dir };
    const applied = await run(kubectl ?? '', ['apply', '--server-side', '-f', '-'], {
      env,
      input: stringify(map({ kept: '2' })),
    });
    expect(applied.stderr).toBe('');
    const { body } = await under.send('GET', '/api/v1/namespaces/default/configmaps/m');
    // What is left out goes since kubectl 1.26: before, its own former self owns it.
    expect(body.data).toMatchObject({ kept: '2' });
    const last = await kube('apply view-last-applied configmap/m -o json');
    expect(JSON.parse(last.stdout)).toMatchObject({ data: { kept: '2' } });
    expect(await apply(map({ kept: '3' }))).toBe('configmap/m configured\n');
  });

  it('refuses to delete what the cluster is made of, and says who is bound to what', async () => {
    const refused = await kube('delete namespace default');
    expect(refused.stderr).toContain('namespaces "default" is forbidden: this namespace may not be deleted');
    expect(refused.code).toBe(1);
    await kube('create rolebinding b --clusterrole=view --user=kim --serviceaccount=default:robot');
    const wide = await kube('get rolebinding b -o wide --no-headers');
    expect(wide.stdout.split(/ {2,}/).slice(3)).toEqual(['kim', '', 'default/robot\n'].filter(Boolean));
  });

  it('decides about certificates', async () => {
    const pem = '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n';
    for (const name of ['good', 'bad'])
      await apply({
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        spec: {
          request: Buffer.from(pem).toString('base64'),
          signerName: 'example.com/own',
          usages: ['client auth'],
        },
      });
    expect((await kube('certificate approve good')).stdout).toContain('good approved');
    expect((await kube('certificate deny bad')).stdout).toContain('bad denied');
    const shown = await kube('get csr --no-headers');
    expect(shown.stdout).toMatch(/^bad .* Denied\ngood .* Approved\n$/);
  });
});
