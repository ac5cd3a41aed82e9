import { Readable } from 'node:stream';
import { systemClock } from '@updraft/kit';
import { describe, expect, it } from 'vitest';
import type { ContainerSpec } from '../types.ts';
import { createFakeRuntime, recorder } from './index.ts';

const spec = (more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main',
  rootFs: { layers: [] },
  env: {},
  workingDir: '/',
  command: ['true'],
  ...more,
});

describe('the fake runtime', () => {
  it('does what it is told and remembers what was started', async () => {
    const runtime = createFakeRuntime({
      run: ({ command }) => (command[0] === 'fail' ? { stdout: 'out', stderr: 'err', code: 3 } : {}),
    });
    const pod = await runtime.createPod({ name: 'p', hostname: 'p' });
    const output = recorder();
    const failing = await pod.start(spec({ command: ['fail'] }), output);
    expect(await failing.exited).toEqual({ kind: 'exited', code: 3, outOfMemory: false });
    expect(output).toMatchObject({ stdout: 'out', stderr: 'err' });
    expect(await (await pod.start(spec(), recorder())).exited).toMatchObject({ code: 0 });
    expect(runtime.started.map(({ spec }) => spec.command)).toEqual([['fail'], ['true']]);
    await pod.remove();
    expect(runtime.list()).toEqual([]);
  });

  it('ends what never ends by stopping it, and lets a test end it', async () => {
    const runtime = createFakeRuntime({
      run: () => ({ runsMs: 'never', stopCode: 5 }),
      exec: () => ({ stdout: 'x', code: 9 }),
    });
    const pod = await runtime.createPod({ name: 'p', hostname: 'p' });
    const stopped = await pod.start(spec(), recorder());
    const output = recorder();
    expect(await (await stopped.exec(['probe'], output)).exited).toMatchObject({ code: 9 });
    expect(output.stdout).toBe('x');
    await stopped.stop(1000);
    expect(await stopped.exited).toMatchObject({ code: 5 });
    await expect(stopped.exec(['probe'], recorder())).rejects.toMatchObject({ code: 'GONE' });
    const finished = await pod.start(spec({ name: 'other' }), recorder());
    runtime.started.at(-1)?.finish({ kind: 'exited', code: 1, outOfMemory: true });
    expect(await finished.exited).toMatchObject({ outOfMemory: true });
    await pod.remove();
  });

  it('takes input and runs for as long as the clock says', async () => {
    const runtime = createFakeRuntime({ run: () => ({ runsMs: 20 }), clock: systemClock });
    const pod = await runtime.createPod({ name: 'p', hostname: 'p', network: 'none' });
    expect(pod.address).toBeUndefined();
    const container = await pod.start(spec(), {
      ...recorder(),
      stdin: Readable.from([Buffer.from('typed')]),
    });
    await container.exited;
    expect(runtime.started[0]?.input()).toBe('typed');
    await pod.remove();
  });
});
