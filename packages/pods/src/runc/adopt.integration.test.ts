import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, signalProcess, start } from '@updraft/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { openTestPlatform, recorder, toolsContainer } from '../testing/index.ts';
import type { TestPlatform } from '../testing/index.ts';

const PROGRAM = fileURLToPath(new URL('../testing/lasting-program.ts', import.meta.url));
const platforms: TestPlatform[] = [];
afterEach(async () => {
  await Promise.all(platforms.splice(0).map((platform) => platform.close()));
});

interface Crashed {
  readonly id: string;
  readonly dir: string;
  readonly pid: number;
  readonly jobPid: number;
  readonly address: string;
}

const seen = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Partial<Crashed> & { printed?: string });

/** Runs a lasting pod in a process of its own and kills that as soon as the container has said `ready`. */
async function crash(script: string, wrapper: readonly string[]): Promise<Crashed> {
  const id = randomBytes(3).toString('hex');
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-adopt-'));
  const [program, ...args] = [...wrapper, process.execPath, '--import', 'tsx', PROGRAM, id, dir, script];
  const child = await start(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const isReady = () => seen(text).some(({ printed }) => printed?.includes('ready'));
  await expect.poll(() => isReady() && seen(text).some(({ pid }) => pid), { timeout: 20_000 }).toBeTruthy();
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
  const facts = seen(text).find(({ pid }) => pid);
  return { id, dir, ...(facts as Pick<Crashed, 'pid' | 'jobPid' | 'address'>) };
}

async function restart({ id, dir }: Crashed): Promise<TestPlatform> {
  const platform = await openTestPlatform({ id, dir });
  platforms.push(platform);
  return platform;
}

const isAlive = async (pid: number) =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';
const processesOf = async (dir: string) => {
  const listed = await run('ps', ['-eo', 'pid,args']);
  return listed.stdout.split('\n').filter((line) => line.includes(dir));
};

async function expectNothingLeft({ id, dir }: Crashed): Promise<void> {
  await Promise.all(platforms.splice(0).map((platform) => platform.close()));
  await expect.poll(() => processesOf(dir)).toEqual([]);
  expect(existsSync(dir)).toBe(false);
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
  expect((await run('find', ['/sys/fs/cgroup', '-name', `*${id}*`])).stdout).toBe('');
  expect((await readdir('/sys/class/net')).filter((device) => device.includes(id))).toEqual([]);
}

const SERVE = `echo ready; trap 'echo bye; exit 9' TERM; n=0; while :; do sleep 0.1; n=$((n+1)); echo tick $n; done`;

describe.each([
  ['in the host’s mount namespace', []],
  ['in a mount namespace of its own', ['unshare', '--mount', '--propagation', 'slave']],
])('a process with a lasting pod is killed %s', (_title, wrapper) => {
  it('leaves the pod, which works on and is taken over with its output and its exit code', async () => {
    const before = await crash(SERVE, wrapper);
    const platform = await restart(before);
    expect(await platform.runtime.sweep()).toEqual({ removed: ['fleeting'] });
    expect(await Promise.all([before.pid, before.jobPid].map(isAlive))).toEqual([true, false]);

    const adopted = await platform.runtime.adopt('kept');
    expect(adopted).toMatchObject({
      intact: true,
      pod: { name: 'kept', address: before.address, labels: { app: 'x' } },
      containers: [{ name: 'main', labels: { restarts: '3' }, endedMs: undefined }],
    });
    expect(platform.runtime.list()).toHaveLength(1);
    const output = recorder();
    const container = await adopted?.containers[0]?.attach(output);
    expect(container?.pid).toBe(before.pid);
    await expect.poll(() => output.stdout).toMatch(/tick \d+\n(.*\n)*tick \d+\n/);

    const said = recorder();
    const exec = await container?.exec(['sh', '-c', 'hostname; id -u'], { ...said, user: '12' });
    expect(await exec?.exited).toMatchObject({ code: 0 });
    expect(said.stdout).toBe('kept\n12\n');
    const beside = await adopted?.pod.start(toolsContainer(['cat', '/etc/hosts'], { name: 'beside' }), said);
    await beside?.exited;
    expect(said.stdout).toContain(before.address);

    await container?.stop(5000);
    expect(await container?.exited).toEqual({ kind: 'exited', code: 9, outOfMemory: false });
    expect(output.stdout).toMatch(/bye\n$/);
    await adopted?.pod.remove();
    expect(await readdir(path.join(before.dir, 'runc/pods'))).toEqual([]);
    await expectNothingLeft(before);
  });

  it('tells the exit code and the last words of what ended while nobody was there', async () => {
    const before = await crash('echo ready; sleep 1; echo last words; exit 7', wrapper);
    await expect.poll(() => isAlive(before.pid), { timeout: 5000 }).toBe(false);
    const platform = await restart(before);
    await platform.runtime.sweep();
    const adopted = await platform.runtime.adopt('kept');
    const [left] = adopted?.containers ?? [];
    expect(left?.endedMs).toBeGreaterThan(left?.startedMs ?? 0);
    const output = recorder();
    const container = await left?.attach(output);
    expect(await container?.exited).toEqual({ kind: 'exited', code: 7, outOfMemory: false });
    expect(output.stdout).toBe('last words\n');
    await expectNothingLeft(before);
  });

  it('is swept when nobody wants the pod, and after a second kill just as well', async () => {
    const before = await crash(SERVE, wrapper);
    const platform = await restart(before);
    await platform.runtime.sweep();
    expect(await platform.runtime.sweep({ lasting: true })).toEqual({ removed: ['kept'] });
    expect(await isAlive(before.pid)).toBe(false);
    expect(await platform.runtime.adopt('kept')).toBeUndefined();
    await expectNothingLeft(before);
  });

  it('counts as killed when its keeper was killed, too', async () => {
    const before = await crash(SERVE, wrapper);
    for (const line of await processesOf(before.dir)) signalProcess(Number.parseInt(line, 10), 'SIGKILL');
    const platform = await restart(before);
    await platform.runtime.sweep();
    const adopted = await platform.runtime.adopt('kept');
    const container = await adopted?.containers[0]?.attach(recorder());
    expect(await container?.exited).toMatchObject({ kind: 'exited', code: 137 });
    expect(await isAlive(before.pid)).toBe(false);
    await expectNothingLeft(before);
  });
});
