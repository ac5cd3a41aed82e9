import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { webcrypto, X509Certificate } from 'node:crypto';
// The library's injector needs it before anything else.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { silentLogger, systemClock } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startApi } from '../api/testing/api-under-test.ts';
import type { ApiUnderTest } from '../api/testing/api-under-test.ts';
import { typedObjects } from '../kinds/objects.ts';
import { startControllers } from './controller.ts';
import type { RunningControllers } from './controller.ts';
import { gracefulDeletion, servedCatalog } from './deletion.ts';
import { eventRecorder } from './event-recorder.ts';
import { signingController } from './signing-requests.ts';

const PATH = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, hash: 'SHA-256' };

let under: ApiUnderTest;
let controllers: RunningControllers;
let keys: webcrypto.CryptoKeyPair;
beforeAll(async () => {
  under = await startApi();
  const { store, credentials } = under;
  const objects = typedObjects(store);
  const clock = systemClock;
  const common = { objects, clock, logger: silentLogger, catalog: servedCatalog(store) };
  const events = eventRecorder({ ...common, component: 'test', host: 'node' });
  const context = { ...common, events, deletion: gracefulDeletion(store, clock) };
  controllers = startControllers([signingController(context, credentials)], context);
  const parameters = { ...ALGORITHM, publicExponent: new Uint8Array([1, 0, 1]) };
  keys = await webcrypto.subtle.generateKey(parameters, true, ['sign', 'verify']);
});
afterAll(async () => {
  await controllers.stop();
  await under.close();
});

async function pem(subject: string): Promise<string> {
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
  });
  return made.toString('pem');
}

interface Wish {
  readonly subject?: string;
  readonly spec?: object;
}

async function ask(name: string, { subject = 'O=team,CN=dana', spec = {} }: Wish = {}) {
  const body = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(await pem(subject)).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      username: 'somebody-else',
      ...spec,
    },
  };
  return under.send('POST', PATH, { body });
}

async function decide(name: string, ...types: string[]) {
  const { body } = await under.send('GET', `${PATH}/${name}`);
  const conditions = types.map((type) => ({ type, status: 'True', reason: 'Test' }));
  const status = { conditions, certificate: 'bm9uZQ==' };
  return under.send('PUT', `${PATH}/${name}/approval`, { body: { ...body, spec: {}, status } });
}

async function settled(name: string) {
  await controllers.idle();
  return (await under.send('GET', `${PATH}/${name}`)).body;
}

/** Whom the API takes the holder of a certificate for. */
async function whoIs(certificate: string): Promise<unknown> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: under.port,
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        ca: under.credentials.ca,
        cert: certificate,
        key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
        agent: false,
        headers: { 'content-type': 'application/json' },
      },
      resolve,
    );
    request.once('error', reject);
    request.end(body);
  });
  const text = Buffer.concat(await response.toArray()).toString();
  return (JSON.parse(text) as { status: { userInfo: unknown } }).status.userInfo;
}

describe('requests for certificates', () => {
  it('belong to whoever sends them, wait, and once approved let their owner in', async () => {
    const made = await ask('dana', { spec: { expirationSeconds: 7200 } });
    expect(made.code).toBe(201);
    expect(made.body.spec).toMatchObject({ username: 'updraft-admin' });
    expect((await settled('dana')).status).toEqual({});
    const approved = await decide('dana', 'Approved');
    expect(approved.code).toBe(200);
    expect(approved.body.spec).toEqual(made.body.spec);
    expect(approved.body.status.certificate).toBeUndefined();
    const { status } = await settled('dana');
    const certificate = Buffer.from(status.certificate as string, 'base64').toString();
    const lasts = Date.parse(new X509Certificate(certificate).validTo) - Date.now();
    expect(Math.round(lasts / 60_000)).toBe(120);
    expect(await whoIs(certificate)).toMatchObject({
      username: 'dana',
      groups: ['team', 'system:authenticated'],
    });
    const table = await under.send('GET', PATH, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.body.rows[0].cells.slice(2)).toEqual([
      'kubernetes.io/kube-apiserver-client',
      'updraft-admin',
      '120m',
      'Approved,Issued',
    ]);
  });

  it('stay without one when denied, and nobody may change their mind', async () => {
    await ask('denied');
    await decide('denied', 'Denied');
    expect((await settled('denied')).status.certificate).toBeUndefined();
    expect((await decide('denied')).body.message).toContain(
      'updates may not remove a condition of type "Denied"',
    );
    const both = await decide('denied', 'Denied', 'Approved');
    expect(both.body.message).toContain('Approved and Denied conditions are mutually exclusive');
  });

  it.each([
    ['rulers', { subject: 'O=system:masters,CN=eve' }, 'system:masters'],
    ['servers', { spec: { usages: ['client auth', 'server auth'] } }, 'usages must be'],
    ['nobody', { subject: 'O=team' }, 'names nobody'],
    ['garbled', { spec: { request: base64Pem('AAAA') } }, 'cannot be read'],
  ])('fail for good: %s', async (name, wish, words) => {
    expect((await ask(name, wish)).code).toBe(201);
    await decide(name, 'Approved');
    const { status } = await settled(name);
    expect(status.certificate).toBeUndefined();
    expect(status.conditions[1]).toMatchObject({ type: 'Failed', status: 'True' });
    expect(status.conditions[1].message).toContain(words);
  });

  it('are left to other signers that they name', async () => {
    await ask('other', { spec: { signerName: 'example.com/own' } });
    await decide('other', 'Approved');
    expect((await settled('other')).status.conditions).toHaveLength(1);
  });

  it.each([
    [{ request: Buffer.from('text').toString('base64') }, 'PEM block type must be CERTIFICATE REQUEST'],
    [{ usages: [] }, 'spec.usages: Required value'],
    [{ usages: ['clientAuth'] }, 'Unsupported value: "clientAuth"'],
    [{ signerName: 'plain' }, 'fully qualified domain and path'],
    [{ expirationSeconds: 60 }, 'may not specify a duration less than 600 seconds'],
  ])('are refused when they make no sense: %j', async (spec, words) => {
    const refused = await ask('refused', { spec });
    expect(refused.code).toBe(422);
    expect(refused.body.message).toContain(words);
  });

  it('are decided by nobody who may not approve for the signer', async () => {
    await ask('guarded');
    const rules = [
      { apiGroups: ['certificates.k8s.io'], resources: ['*'], verbs: ['get', 'update', 'patch'] },
    ];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' } };
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await under.send('POST', `${rbac}/clusterroles`, { body: { ...role, rules } });
    const binding = {
      ...role,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'kim' }],
    };
    await under.send('POST', `${rbac}/clusterrolebindings`, { body: binding });
    const options = {
      headers: { 'impersonate-user': 'kim' },
      type: 'application/merge-patch+json',
      body: { status: { conditions: [{ type: 'Approved', status: 'True' }] } },
    };
    const refused = await under.send('PATCH', `${PATH}/guarded/approval`, options);
    expect(refused.code).toBe(403);
    expect(refused.body.message).toContain('cannot approve resource "signers"');
  });
});

describe('old requests', () => {
  it('go', async () => {
    await ask('old');
    await decide('old', 'Denied');
    const condition = { type: 'Denied', status: 'True', lastUpdateTime: '2020-01-01T00:00:00Z' };
    const { store } = under;
    store.modify('certificatesigningrequests.certificates.k8s.io', undefined, 'old', (stored) => ({
      ...stored,
      status: { conditions: [condition] },
    }));
    await vi.waitFor(async () => expect((await under.send('GET', `${PATH}/old`)).code).toBe(404));
  });
});

function base64Pem(content: string): string {
  const text = `-----BEGIN CERTIFICATE REQUEST-----\n${content}\n-----END CERTIFICATE REQUEST-----\n`;
  return Buffer.from(text).toString('base64');
}
