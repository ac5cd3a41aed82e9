import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { DefaultCertificate } from './default-certificate.ts';

test('it is another one a month before it ends, while the ingress runs', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-default-'));
  const clock = new FakeClock();
  const kept = new DefaultCertificate(dir, clock);
  const [first, again] = await Promise.all([kept.pem(), kept.pem()]);
  expect(again).toBe(first);
  await clock.advance(330 * 86_400_000);
  expect(await kept.pem()).toBe(first);
  await clock.advance(6 * 86_400_000);
  const next = await kept.pem();
  expect(next.certificate).not.toBe(first.certificate);
  expect(Date.parse(new X509Certificate(next.certificate).validTo)).toBeGreaterThan(
    clock.now() + 364 * 86_400_000,
  );
  expect(await new DefaultCertificate(dir, clock).pem()).toEqual(next);
  for (const file of await readdir(dir)) expect((await stat(path.join(dir, file))).mode & 0o777).toBe(0o600);
  await rm(dir, { recursive: true });
});
