import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestPlatform, recorder, toolsContainer } from '../testing/index.ts';
import type { TestPlatform } from '../testing/index.ts';
import type { Container, ContainerSpec, Pod } from '../types.ts';

let platform: TestPlatform;
let pod: Pod;
beforeAll(async () => {
  platform = await openTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
  pod = await platform.runtime.createPod({ name: 'shared', hostname: 'shared' });
});
afterEach(() => pod.remove());

const begin = (script: string, more: Partial<ContainerSpec> = {}) =>
  pod.start(toolsContainer(['sh', '-c', script], more), recorder());
const ended = (code: number) => ({ kind: 'exited', code, outOfMemory: false });

async function read(container: Container, script: string): Promise<string> {
  const output = recorder();
  const inside = await container.exec(['sh', '-c', script], output);
  expect(await inside.exited).toEqual(ended(0));
  return output.stdout;
}

test('each sees the processes of the other, and it ends with the first', async () => {
  const first = await begin('sleep 4711; true', { name: 'first' });
  const second = await begin('sleep 4712; true', { name: 'second', processesOf: 'first' });
  const all = 'cat /proc/[0-9]*/cmdline | tr "\\0" " "';
  for (const container of [first, second]) expect(await read(container, all)).toMatch(/4711.*4712/);
  await first.stop(0);
  expect(await second.exited).toEqual(ended(137));
});

test('its end takes what it left running, and nothing of the first', async () => {
  const first = await begin('exec sleep 4711', { name: 'first' });
  const second = await begin('sleep 4712 & exit 3', { name: 'second', processesOf: 'first' });
  expect(await second.exited).toEqual(ended(3));
  expect(await read(first, 'cat /proc/[0-9]*/cmdline')).not.toContain('4712');
});

test('a container that does not run has no processes to share', async () => {
  await expect(begin('true', { processesOf: 'gone' })).rejects.toMatchObject({ code: 'GONE' });
});
