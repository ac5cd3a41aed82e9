import { createServer } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { remains, temporaryFolder, updraft } from './harness.ts';

const { dir: home, remove } = temporaryFolder('restart');
afterAll(remove);

async function registryAddress(): Promise<{ pid: number; address: string }> {
  const { stdout } = await updraft(['status', '--json'], { cwd: home, home });
  const status = JSON.parse(stdout) as { pid: number; registry: { address: string } };
  return { pid: status.pid, address: status.registry.address };
}

test('ports outlive the daemon: image names and URLs hold them', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const taken = (blocker.address() as { port: number }).port;
  const env = { UPDRAFT_REGISTRY_PORT: String(taken) };
  const up = await updraft(['up'], { cwd: home, home, env });
  expect(up.code, up.stderr).toBe(0);
  const before = await registryAddress();
  expect(before.address).not.toBe(`127.0.0.1:${taken}`);
  blocker.close();
  process.kill(before.pid, 'SIGKILL');
  expect((await updraft(['up'], { cwd: home, home, env })).code).toBe(0);
  const after = await registryAddress();
  expect(after.pid).not.toBe(before.pid);
  expect(after.address).toBe(before.address);
  expect((await updraft(['down', '--purge'], { cwd: home, home })).code).toBe(0);
  expect(await remains(home)).toEqual([]);
});

test('a port that was asked for and is taken is one message, and nothing is left', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const taken = (blocker.address() as { port: number }).port;
  const up = await updraft(['up'], { cwd: '/', home, env: { UPDRAFT_INGRESS_PORT: String(taken) } });
  blocker.close();
  expect(up.code).toBe(3);
  expect(up.stderr).toContain(String(taken));
  expect(await remains(home)).toEqual([]);
});
