import { readFileSync } from 'node:fs';
import { systemClock } from '@updraft/kit';
import { describe, expect, it } from 'vitest';
import { recorder, testRuntime } from '../testing/index.ts';
import type { ContainerSpec } from '../types.ts';
import { createHostRuntime } from './runtime.ts';

const container = (command: readonly string[], more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main',
  rootFs: { layers: [] },
  env: {},
  workingDir: '/',
  command,
  ...more,
});

const REASON = 'processes of the host are not isolated';
testRuntime({
  name: 'host',
  create: async () => ({
    runtime: createHostRuntime({ clock: systemClock }),
    container,
    close: async () => undefined,
  }),
  skip: {
    isolation: REASON,
    limits: REASON,
    network: REASON,
    overlay: REASON,
    terminal: REASON,
    users: REASON,
  },
});

describe('processes of the host', () => {
  it.each([
    ['an image', { rootFs: { layers: ['/layer'] } }],
    ['a mount', { mounts: [{ kind: 'tmpfs', target: '/x' }] }],
    ['a terminal', { terminal: true }],
    ['the processes of another', { processesOf: 'other' }],
  ] satisfies [string, Partial<ContainerSpec>][])('cannot have %s', async (_what, more) => {
    const runtime = createHostRuntime({ clock: systemClock });
    const pod = await runtime.createPod({ name: 'p', hostname: 'p' });
    await expect(pod.start(container(['true'], more), recorder())).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await pod.remove();
  });

  it('leave no child behind', async () => {
    const runtime = createHostRuntime({ clock: systemClock });
    const pod = await runtime.createPod({ name: 'p', hostname: 'p' });
    const output = recorder();
    const started = await pod.start(container(['sh', '-c', 'sleep 1000 & echo $!']), output);
    expect(await started.exited).toMatchObject({ code: 0 });
    const pid = Number(output.stdout);
    await expect.poll(() => isAlive(pid)).toBe(false);
    await pod.remove();
  });
});

/** A process that has ended but was not waited for has an empty command line. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}
