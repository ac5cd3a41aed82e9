import { systemClock } from '@updraft/kit';
import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLiveCluster } from '../../testing/live-cluster.ts';
import type { LiveCluster } from '../../testing/live-cluster.ts';
import { createAuthority } from '../certificates.ts';
import { base64 } from '../credentials.ts';
import { deployment } from '../testing/manifests.ts';

// A webhook as teams run them: in a pod, behind a Service, with its certificate from a Secret.

/** Labels pods on their way in; maps it denies. */
const WEBHOOK = `
const { readFileSync } = require('node:fs');
const read = (name) => readFileSync('/tls/' + name);
require('node:https').createServer({ cert: read('tls.crt'), key: read('tls.key') }, (message, response) => {
  let text = '';
  message.on('data', (chunk) => (text += chunk)).on('end', () => {
    const { uid, resource } = JSON.parse(text).request;
    const patch = [{ op: 'add', path: '/metadata/labels/injected', value: 'yes' }];
    const patched = { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
    const said = resource.resource === 'pods' ? patched : { allowed: false, status: { message: 'no maps' } };
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...said } }));
  });
}).listen(8443);
process.on('SIGTERM', () => process.exit(0));`;

const IDLE = 'setInterval(() => undefined, 1000); process.on("SIGTERM", () => process.exit(0));';
const NS = '/api/v1/namespaces/hooks';

let live: LiveCluster;
let caBundle: string;
beforeAll(async () => {
  live = await startLiveCluster({
    'webhook:1': { Cmd: [NODE_IN_CONTAINER, '-e', WEBHOOK] },
    'registry.local/app:1': { Cmd: [NODE_IN_CONTAINER, '-e', IDLE] },
  });
  await created('/api/v1/namespaces', { metadata: { name: 'hooks' } });
  await created('/api/v1/namespaces', { metadata: { name: 'shop', labels: { hooked: 'yes' } } });
  const authority = await createAuthority(systemClock.now());
  caBundle = base64(authority.pair.certificate);
  const pair = await authority.issueServer(['hook.hooks.svc'], systemClock.now());
  const stringData = { 'tls.crt': pair.certificate, 'tls.key': pair.key };
  await created(`${NS}/secrets`, { metadata: { name: 'tls' }, type: 'kubernetes.io/tls', stringData });
  const app = deployment('hook', { namespace: 'hooks', image: 'webhook:1' });
  const [container] = app.spec.template.spec.containers;
  Object.assign(container as object, {
    volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
  });
  Object.assign(app.spec.template.spec, { volumes: [{ name: 'tls', secret: { secretName: 'tls' } }] });
  await created('/apis/apps/v1/namespaces/hooks/deployments', app);
  const ports = [{ port: 443, targetPort: 8443 }];
  await created(`${NS}/services`, { metadata: { name: 'hook' }, spec: { selector: { app: 'hook' }, ports } });
  await live.until('the webhook is ready', async () => {
    const { body } = await live.api('GET', '/apis/apps/v1/namespaces/hooks/deployments/hook');
    return body.status?.readyReplicas === 1;
  });
});
afterAll(async () => live?.close());

async function created(path: string, body: object): Promise<void> {
  const answer = await live.api('POST', path, body);
  expect(answer.code, JSON.stringify(answer.body)).toBe(201);
}

function configuration(kind: 'Mutating' | 'Validating', resource: string) {
  const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: [resource] };
  const webhook = {
    name: `${resource}.hooks.example`,
    clientConfig: { caBundle, service: { namespace: 'hooks', name: 'hook', path: '/' } },
    rules: [rule],
    namespaceSelector: { matchLabels: { hooked: 'yes' } },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  return { kind: `${kind}WebhookConfiguration`, metadata: { name: resource }, webhooks: [webhook] };
}

test('a webhook in a pod injects into what a Deployment makes, and denies; when it is gone nothing passes', async () => {
  const group = '/apis/admissionregistration.k8s.io/v1';
  await created(`${group}/mutatingwebhookconfigurations`, configuration('Mutating', 'pods'));
  await created(`${group}/validatingwebhookconfigurations`, configuration('Validating', 'configmaps'));
  await created(
    '/apis/apps/v1/namespaces/shop/deployments',
    deployment('web', { namespace: 'shop', replicas: 2 }),
  );
  const injected = () => live.api('GET', '/api/v1/namespaces/shop/pods?labelSelector=app=web,injected=yes');
  await live.until('both pods run', async () => {
    const { body } = await injected();
    const phases = body.items.map((pod: { status: { phase: string } }) => pod.status.phase);
    return phases.join() === 'Running,Running';
  });
  const map = { metadata: { name: 'map' } };
  const denied = await live.api('POST', '/api/v1/namespaces/shop/configmaps', map);
  expect(denied.body.message).toBe(
    'admission webhook "configmaps.hooks.example" denied the request: no maps',
  );
  await created(`${NS}/configmaps`, map);
  await live.api('DELETE', '/apis/apps/v1/namespaces/hooks/deployments/hook');
  await live.until('the webhook is gone', async () => {
    const { body } = await live.api('GET', `${NS}/pods`);
    return body.items.length === 0;
  });
  const failed = await live.api('POST', '/api/v1/namespaces/shop/configmaps', map);
  expect(failed.code).toBe(500);
  expect(failed.body.message).toContain(
    'failed calling webhook "configmaps.hooks.example": failed to call webhook: Post "https://hook.hooks.svc:443/?timeout=10s": ',
  );
});
