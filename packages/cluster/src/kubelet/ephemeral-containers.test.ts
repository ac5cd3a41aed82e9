import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import type { Container } from '../kinds/pod.ts';
import type { KubeObject } from '../store/types.ts';
import { startNode } from '../testing/node.ts';
import type { NodeOptions, TestNode } from '../testing/node.ts';

let node: TestNode;
afterEach(() => node.stop());

const LOOK = { name: 'look', image: 'web:1' };
const NEVER = { runsMs: 'never' } as const;

async function begin(options: NodeOptions = {}): Promise<void> {
  node = await startNode(options);
  await node.run({});
}

function add(...ephemeralContainers: Container[]): void {
  node.context.objects.modify('pods', 'shop', 'p', (pod) => {
    pod.spec.ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), ...ephemeralContainers];
  });
}
const statusOf = (name = 'look') =>
  node.pod()?.status?.ephemeralContainerStatuses?.find((status) => status.name === name);
const starts = (name = 'look') => node.runtime.started.filter(({ spec }) => spec.name === name).length;

test('it starts in the running pod, is never started again, and the pod takes no notice of its end', async () => {
  const behave = ({ name }: { name: string }) => (name === 'look' ? { code: 3, stdout: 'seen' } : NEVER);
  await begin({ behave });
  add(LOOK);
  await node.until(() => statusOf()?.state.terminated !== undefined);
  expect(statusOf()).toMatchObject({
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode: 3, reason: 'Error' } },
  });
  expect(statusOf()).not.toHaveProperty('started');
  await node.pass(60_000);
  expect(starts()).toBe(1);
  expect(node.pod()?.status).toMatchObject({ phase: 'Running', containerStatuses: [{ ready: true }] });
  const pod = node.pod() as unknown as KubeObject;
  const options = { container: 'look', follow: false, previous: false, timestamps: false };
  expect(await text(await node.kubelet.logs(pod, options))).toBe('seen');
  const events = node.context.objects.list('events');
  expect(events.map(({ involvedObject }) => involvedObject.fieldPath)).toContain(
    'spec.ephemeralContainers{look}',
  );
});

test('it can be run in and attached to, and shares the processes of its target', async () => {
  await begin({ exec: () => ({ stdout: 'inside' }) });
  add({ ...LOOK, targetContainerName: 'c', stdin: true });
  await node.until(() => statusOf()?.state.running !== undefined);
  expect(node.runtime.started.at(-1)?.spec.processesOf).toBe('c');
  const pod = node.pod() as unknown as KubeObject;
  const streams = { container: 'look', onStdout: () => undefined, onStderr: () => undefined };
  expect((await node.kubelet.attach(pod, streams)).exited).toBeInstanceOf(Promise);
  const process = await node.kubelet.exec(pod, { ...streams, command: ['x'], terminal: false });
  expect(await process.exited).toMatchObject({ code: 0 });
});

test('it waits for an image, and for a target that does not run', async () => {
  await begin({ remote: { 'late:1': {} }, behave: ({ name }) => (name === 'c' ? { code: 1 } : NEVER) });
  await node.until(() => node.pod()?.status?.containerStatuses?.[0]?.state.waiting !== undefined);
  add({ ...LOOK, targetContainerName: 'c' }, { ...LOOK, name: 'other', image: 'nobody:1' });
  await node.until(() => statusOf()?.state.waiting?.reason === 'CreateContainerConfigError');
  expect(statusOf()?.state.waiting?.message).toBe('unable to find target container c');
  await node.until(() => statusOf('other')?.state.waiting?.reason === 'ErrImagePull');
});

test('it ends with its pod, by deletion and by the end of the others', async () => {
  await begin();
  add(LOOK);
  await node.until(() => statusOf()?.state.running !== undefined);
  node.context.deletion.delete('pods', 'shop', 'p');
  await node.until(() => node.pod() === undefined);
  expect(node.runtime.list()).toEqual([]);

  await node.run({ name: 'again' }, { restartPolicy: 'Never' });
  add(LOOK);
  await node.until(() => statusOf()?.state.running !== undefined);
  const main = node.runtime.started.findLast(({ spec }) => spec.name === 'again');
  main?.finish({ kind: 'exited', code: 0, outOfMemory: false });
  await node.until(() => node.pod()?.status?.phase === 'Succeeded' && node.runtime.list().length === 0);
  await node.until(() => statusOf()?.state.terminated !== undefined);
});

test('one that is added to a pod which has ended is not started', async () => {
  await begin({ behave: () => ({ code: 0 }) });
  node.context.deletion.delete('pods', 'shop', 'p');
  await node.until(() => node.pod() === undefined);
  await node.run({}, { restartPolicy: 'Never' });
  await node.until(() => node.pod()?.status?.phase === 'Succeeded' && node.runtime.list().length === 0);
  add(LOOK);
  await node.pass(5000);
  expect(starts()).toBe(0);
});

test('one that was lost with a daemon stays lost', async () => {
  await begin();
  add(LOOK);
  await node.until(() => statusOf()?.state.running !== undefined);
  await node.crash();
  await node.until(() => statusOf()?.state.terminated !== undefined);
  expect(statusOf()?.state.terminated).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' });
  await node.pass(60_000);
  expect(starts()).toBe(1);
  expect(node.runtime.started.filter(({ spec }) => spec.name === 'c')).toHaveLength(2);
});
