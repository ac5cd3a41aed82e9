import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '@updraft/kit';
import type { RunResult } from '@updraft/kit';
import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { LiveCluster } from '../testing/live-cluster.ts';
import { findProgram } from './testing/clients.ts';

const helm = await findProgram('helm', 'UPDRAFT_TEST_HELM');
if (!helm) console.log('helm is neither on PATH nor named by UPDRAFT_TEST_HELM: its tests are skipped');

const SERVER = `require('node:http').createServer((q, r) => r.end(process.env.GREETING)).listen(8080);
process.on('SIGTERM', () => process.exit(0))`;

/** A chart as people write them: a service, what has to run before and after it, a test, something of its own CRD. */
const CHART: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: greeter\nversion: 0.1.0\nappVersion: "1"\n',
  'values.yaml': 'greeting: hello\nreplicas: 1\nfail: false\n',
  'crds/visits.yaml': `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: visits.example.org }
spec:
  group: example.org
  names: { kind: Visit, plural: visits }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { by: { type: string } } } } } }
`,
  'templates/visit.yaml': `
apiVersion: example.org/v1
kind: Visit
metadata: { name: {{ .Release.Name }} }
spec: { by: {{ .Values.greeting | quote }} }
`,
  'templates/all.yaml': `
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
data: { GREETING: {{ .Values.greeting | quote }} }
---
apiVersion: v1
kind: Service
metadata: { name: {{ .Release.Name }} }
spec: { selector: { app: {{ .Release.Name }} }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata:
      labels: { app: {{ .Release.Name }} }
      annotations: { checksum: {{ .Values.greeting | sha256sum }} }
    spec:
      containers:
        - name: main
          image: app:1
          envFrom: [{ configMapRef: { name: {{ .Release.Name }} } }]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: {{ .Release.Name }} }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: {{ .Release.Name }} } } }
`,
  'templates/hooks.yaml': `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-before
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - { name: before, image: app:1, command: [${NODE_IN_CONTAINER}, -e, "process.exit({{ ternary 1 0 .Values.fail }})"] }
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: { helm.sh/hook: test, helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded" }
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: app:1
      command:
        - ${NODE_IN_CONTAINER}
        - -e
        - "fetch('http://{{ .Release.Name }}').then((r) => r.text()).then((t) => process.exit(t === '{{ .Values.greeting }}' ? 0 : 1))"
`,
};

let live: LiveCluster;
let dir: string;
beforeAll(async () => {
  if (!helm) return;
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-helm-'));
  live = await startLiveCluster({ 'app:1': { Cmd: [NODE_IN_CONTAINER, '-e', SERVER] } });
  await writeFile(path.join(dir, 'kubeconfig'), live.cluster.kubeconfig('127.0.0.1'), { mode: 0o600 });
  for (const [name, text] of Object.entries(CHART)) {
    await mkdir(path.join(dir, 'chart', path.dirname(name)), { recursive: true });
    await writeFile(path.join(dir, 'chart', name), text);
  }
});
afterAll(async () => {
  if (!helm) return;
  await live.close();
  await rm(dir, { recursive: true });
});

const helmed = (args: string): Promise<RunResult> =>
  run(helm ?? '', args.split(' '), {
    cwd: dir,
    env: { KUBECONFIG: path.join(dir, 'kubeconfig'), HOME: dir, PATH: '/usr/bin:/bin' },
  });

async function succeeds(args: string): Promise<string> {
  const result = await helmed(args);
  expect(result.code, `helm ${args}: ${result.stdout}${result.stderr}`).toBe(0);
  return result.stdout;
}

const greeting = async () =>
  (await live.api('GET', '/api/v1/namespaces/shop/configmaps/web')).body.data.GREETING;

describe.skipIf(!helm)('helm and a live cluster', () => {
  it('installs with hooks and a definition, tests, upgrades, rolls back, uninstalls', async () => {
    await succeeds('install web chart -n shop --create-namespace --wait --timeout 60s');
    expect(
      (await live.api('GET', '/apis/apps/v1/namespaces/shop/deployments/web')).body.status,
    ).toMatchObject({ readyReplicas: 1 });
    expect((await live.api('GET', '/apis/example.org/v1/namespaces/shop/visits/web')).body.spec).toEqual({
      by: 'hello',
    });
    expect(
      (await live.api('GET', '/apis/batch/v1/namespaces/shop/jobs/web-before')).body.status,
    ).toMatchObject({ succeeded: 1 });
    await succeeds('test web -n shop --timeout 60s');
    await succeeds('upgrade web chart -n shop --set greeting=bonjour --set replicas=2 --wait --timeout 60s');
    expect(await greeting()).toBe('bonjour');
    expect(JSON.parse(await succeeds('list -n shop -o json'))).toMatchObject([
      { name: 'web', revision: '2', status: 'deployed' },
    ]);
    await succeeds('rollback web 1 -n shop --wait --timeout 60s');
    expect(await greeting()).toBe('hello');
    const history = JSON.parse(await succeeds('history web -n shop -o json')) as { status: string }[];
    expect(history.map(({ status }) => status)).toEqual(['superseded', 'superseded', 'deployed']);
    await succeeds('uninstall web -n shop --wait --timeout 60s');
    // Pods go by themselves when what owned them has gone.
    const pods = '/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb';
    await live.until('the pods are gone', async () => (await live.api('GET', pods)).body.items.length === 0);
    // Hooks stay, and definitions: helm leaves them to the user.
    expect((await live.api('GET', '/apis/example.org/v1/namespaces/shop/visits')).code).toBe(200);
  });

  it('an upgrade whose hook fails says so, and leaves what there was', async () => {
    await succeeds('install two chart -n shop --create-namespace --wait --timeout 60s');
    const failed = await helmed('upgrade two chart -n shop --set fail=true --wait --timeout 60s');
    expect(failed.code).not.toBe(0);
    expect(failed.stderr).toContain('pre-upgrade hooks failed');
    expect(await succeeds('status two -n shop')).toContain('STATUS: failed');
    await succeeds('rollback two 1 -n shop --wait --timeout 60s');
    await succeeds('uninstall two -n shop --wait --timeout 60s');
  });
});
