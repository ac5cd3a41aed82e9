import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkRegistry } from '../testing/conformance/suite.ts';
import { TEST_CREDENTIALS, serveRegistry, temporaryStore } from '../testing/index.ts';
import type { TemporaryStore, TestServer } from '../testing/index.ts';

let temporary: TemporaryStore;
let server: TestServer;
beforeEach(async () => {
  temporary = await temporaryStore();
  server = await serveRegistry(temporary.store);
});
afterEach(async () => {
  await server.close();
  await temporary.remove();
});

test('the registry answers as the distribution specification says', async () => {
  const { username, password } = TEST_CREDENTIALS;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const checks = await checkRegistry(`http://${server.host}`, authorization);
  expect(checks.filter(({ why }) => why !== undefined)).toEqual([]);
  // A suite that stopped early would find nothing wrong either.
  expect(checks.length).toBeGreaterThan(600);
}, 120_000);
