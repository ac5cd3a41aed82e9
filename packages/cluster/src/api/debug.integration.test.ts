import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '@updraft/kit';
import type { RunResult } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { Json, LiveCluster } from '../testing/live-cluster.ts';
import { findKubectl } from './testing/clients.ts';

// Looking into a pod that runs, as `kubectl debug` does it.
const kubectl = await findKubectl();
if (!kubectl) console.log('kubectl is missing: its tests with ephemeral containers are skipped');

const PODS = '/api/v1/namespaces/default/pods';

let live: LiveCluster;
let dir: string;
let env: Record<string, string>;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-debug-'));
  live = await startLiveCluster({ 'app:1': { Cmd: ['sleep', '4711'] }, 'tools:1': { Cmd: ['sh'] } });
  env = { KUBECONFIG: path.join(dir, 'kubeconfig'), HOME: dir };
  await writeFile(env['KUBECONFIG'] ?? '', live.cluster.kubeconfig('127.0.0.1'), { mode: 0o600 });
});
afterAll(async () => {
  await live?.close();
  await rm(dir, { recursive: true });
});

const kube = (args: readonly string[], input?: string): Promise<RunResult> =>
  run(kubectl ?? '', args, input === undefined ? { env } : { env, input });
/** On a terminal of its own, as a user types it. */
const typed = (command: string, input: string): Promise<RunResult> =>
  run('script', ['-qec', `${kubectl} ${command}`, '/dev/null'], { env: { ...env, PATH: '/bin' }, input });

async function podThatRuns(name: string): Promise<void> {
  const containers = [{ name: 'main', image: 'app:1' }];
  const body = { metadata: { name }, spec: { terminationGracePeriodSeconds: 1, containers } };
  expect((await live.api('POST', PODS, body)).code).toBe(201);
  await live.until(`${name} runs`, async () => (await podOf(name)).status?.phase === 'Running');
}
const podOf = async (name: string): Promise<Json> => (await live.api('GET', `${PODS}/${name}`)).body;
const debuggersOf = async (name: string): Promise<Json[]> =>
  (await podOf(name)).status.ephemeralContainerStatuses ?? [];

describe.skipIf(!kubectl)('kubectl debug', () => {
  it('looks at the processes of a container, from another with other tools', async () => {
    await podThatRuns('watched');
    const args = ['debug', 'watched', '--image=tools:1', '--target=main', '--attach', '--quiet', '-c=look'];
    const look = await kube([...args, '--', 'sh', '-c', 'sleep 1; tr "\\0" " " < /proc/1/cmdline']);
    expect([look.code, look.stdout], look.stderr).toEqual([0, expect.stringContaining('sleep 4711')]);
    await live.until('its end is told', async () => (await debuggersOf('watched'))[0]?.state.terminated);
    expect(await debuggersOf('watched')).toMatchObject([
      { name: 'look', ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } },
    ]);
    expect((await kube(['logs', 'watched', '-c', 'look'])).stdout).toContain('sleep 4711');
    const described = (await kube(['describe', 'pod', 'watched'])).stdout;
    expect(described).toMatch(/Ephemeral Containers:\n +look:\n(.*\n)* +State: +Terminated/);
    expect((await podOf('watched')).status.containerStatuses[0]).toMatchObject({
      restartCount: 0,
      ready: true,
    });
  });

  it('types into a shell on a terminal, and runs beside it', async () => {
    await podThatRuns('typed');
    const shell = typed(
      'debug -it typed --image=tools:1 --target=main -c sh -- sh',
      'echo in-$((6*7)); sleep 4\n',
    );
    await live.until('a shell runs', async () => (await debuggersOf('typed'))[0]?.state.running);
    const beside = await kube(['exec', 'typed', '-c', 'sh', '--', 'sh', '-c', 'cat /proc/[0-9]*/comm']);
    expect(beside.stdout, beside.stderr).toContain('sleep');
    expect((await shell).stdout).toContain('in-42');
  });

  it('gives a shell its input, also when it is attached to later', async () => {
    await podThatRuns('fed');
    const made = await kube(['debug', 'fed', '-i', '--attach=false', '--image=tools:1', '-c=sh', '--', 'sh']);
    expect(made.code, made.stderr).toBe(0);
    await live.until('a shell runs', async () => (await debuggersOf('fed'))[0]?.state.running);
    const fed = await kube(['attach', 'fed', '-c', 'sh', '-i'], 'echo heard-$((6*7)); exit 5\n');
    expect(fed.stdout, fed.stderr).toContain('heard-42');
    await live.until('its end is told', async () => (await debuggersOf('fed'))[0]?.state.terminated);
    expect((await debuggersOf('fed'))[0].state.terminated.exitCode).toBe(5);
  });

  it('is told what is wrong: a name that is taken, a target that does not exist', async () => {
    await podThatRuns('wrong');
    const taken = await kube(['debug', 'wrong', '--image=tools:1', '-c=main', '--', 'true']);
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringMatching(/main/)]);
    const target = await kube(['debug', 'wrong', '--image=tools:1', '--target=nobody', '--', 'true']);
    expect([target.code, target.stderr]).toEqual([1, expect.stringContaining('Not found: "nobody"')]);
  });

  it('makes a copy of a pod, with another image or another container', async () => {
    await podThatRuns('origin');
    const other = ['--copy-to=copy', '--set-image=main=tools:1', '--container=main', '--', 'sleep', '4712'];
    const copied = await kube(['debug', 'origin', '--attach=false', ...other]);
    expect(copied.code, copied.stderr).toBe(0);
    await live.until('the copy runs', async () => (await podOf('copy')).status?.phase === 'Running');
    expect((await podOf('copy')).spec.containers).toMatchObject([
      { name: 'main', image: 'tools:1', command: ['sleep', '4712'] },
    ]);
    const beside = [
      '--copy-to=with',
      '--image=tools:1',
      '--container=look',
      '--same-node',
      '--',
      'sleep',
      '5',
    ];
    expect((await kube(['debug', 'origin', '--attach=false', ...beside])).code).toBe(0);
    await live.until('both run', async () => (await podOf('with')).status?.phase === 'Running');
    expect((await podOf('with')).spec.containers.map(({ name }: Json) => name)).toEqual(['main', 'look']);
  });
});
