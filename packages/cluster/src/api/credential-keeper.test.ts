import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { silentLogger } from '@updraft/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openResourceStore } from '../store/store.ts';
import type { ResourceStore } from '../store/types.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { CredentialKeeper } from './credential-keeper.ts';
import { createCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import type { KubeletPort } from './ports.ts';
import { createApiServer } from './server.ts';
import type { ApiServer } from './server.ts';

const DAY_MS = 86_400_000;

let dir: string;
let clock: FakeClock;
let store: ResourceStore;
let api: ApiServer;
let port: number;
let first: Credentials;
let keeper: CredentialKeeper;
let faults: unknown[];
let broken = false;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-keeper-'));
  clock = new FakeClock();
  store = openResourceStore({ file: ':memory:', clock });
  first = await createCredentials(dir, { clock });
  const kubelet = {} as KubeletPort;
  const base = { store, kubelet, credentials: first, clock, logger: silentLogger };
  api = createApiServer({ ...base, serviceCidr: '10.96.0.0/24', version: '0.0.0' });
  port = await api.listen({ port: 0, addresses: ['127.0.0.1', '::1'] });
  faults = [];
  broken = false;
  keeper = new CredentialKeeper(first, {
    clock,
    renew: () =>
      broken
        ? Promise.reject(new Error('disk full'))
        : createCredentials(dir, { clock, keepsAuthority: true }),
    onRenewed: (fresh) => api.renew(fresh),
    onFault: (error) => faults.push(error),
  });
});
afterEach(async () => {
  keeper.close();
  await api.close();
  store.close();
  await rm(dir, { recursive: true });
});

async function meet(host = '127.0.0.1', { client } = keeper.current): Promise<TLSSocket> {
  const { certificate: cert, key } = client;
  // The clock of the test is not the one OpenSSL looks at: only who signed is asked.
  const socket = connect({
    host,
    port,
    ca: first.ca,
    cert,
    key,
    servername: 'localhost',
    rejectUnauthorized: false,
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}
const serialAt = async (host?: string): Promise<string> => {
  const socket = await meet(host);
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
};
/** Making a certificate takes real time, which a clock of a test knows nothing of. */
async function days(count: number): Promise<void> {
  await clock.advance(count * DAY_MS);
  await untilItWaits();
  // What was looked at meanwhile was looked at when the time began to pass.
  await clock.advance(3_600_000);
  await untilItWaits();
}
async function untilItWaits(): Promise<void> {
  for (let turn = 0; turn < 200 && clock.pending === 0; turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

it('serves new certificates to new connections before the old ones end; open ones go on', async () => {
  const before = await serialAt();
  const open = await meet();
  await days(4 * 365);
  expect(await serialAt()).toBe(before);
  await days(340);
  const after = await serialAt();
  expect(after).not.toBe(before);
  expect(await serialAt('::1')).toBe(after);
  expect(keeper.current.ca).toBe(first.ca);
  expect(keeper.current.client.certificate).not.toBe(first.client.certificate);
  const renewed = new X509Certificate(keeper.current.client.certificate);
  expect(renewed.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
  expect(Date.parse(renewed.validTo)).toBeGreaterThan(clock.now() + 4 * 365 * DAY_MS);
  // Who has not fetched the new kubeconfig yet is let in until the old one ends.
  const known = await meet('127.0.0.1', first);
  known.write('GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [head] = (await once(known, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1\.1 200/);
  open.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  const [reply] = (await once(open, 'data')) as [Buffer];
  expect(reply.toString()).toContain('200 OK');
  open.destroy();
  for (const file of await readdir(dir)) expect((await stat(path.join(dir, file))).mode & 0o777).toBe(0o600);
  // They are kept: the next start has the same ones.
  expect(await createCredentials(dir, { clock })).toEqual(keeper.current);
});

it('tries again when they cannot be made, and keeps the authority that everybody was given', async () => {
  broken = true;
  await days(4 * 365 + 340);
  expect(faults.length).toBeGreaterThan(0);
  expect(keeper.current).toBe(first);
  broken = false;
  await days(1);
  expect(keeper.current.server).not.toEqual(first.server);
  await days(5 * 365 - 5);
  expect(keeper.current.ca).toBe(first.ca);
});
