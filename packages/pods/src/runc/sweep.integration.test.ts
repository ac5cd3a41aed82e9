import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start } from '@updraft/kit';
import { afterEach, describe, expect, it } from 'vitest';
import { openTestPlatform, recorder, toolsContainer } from '../testing/index.ts';
import type { TestPlatform } from '../testing/index.ts';

const PROGRAM = fileURLToPath(new URL('../testing/crash-program.ts', import.meta.url));
const platforms: TestPlatform[] = [];
afterEach(async () => {
  await Promise.all(platforms.splice(0).map((platform) => platform.close()));
});

/** Runs pods in a process of its own and kills that as power would. Resolves with the containers' process ids. */
async function crash(id: string, dir: string, wrapper: readonly string[]): Promise<number[]> {
  const [program, ...args] = [...wrapper, process.execPath, '--import', 'tsx', PROGRAM, id, dir];
  const child = await start(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer];
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
  return JSON.parse(line.toString()) as number[];
}

const processesOf = async (id: string) => {
  const listed = await run('ps', ['-eo', 'pid,args']);
  return listed.stdout.split('\n').filter((line) => line.includes(id));
};

const isAlive = async (pid: number) =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';

describe.each([
  ['in the host’s mount namespace', []],
  ['in a mount namespace of its own', ['unshare', '--mount', '--propagation', 'slave']],
])('sweep after a crash %s', (_title, wrapper) => {
  it('ends and removes everything, and only that', async () => {
    const bystander = await openTestPlatform();
    platforms.push(bystander);
    const pod = await bystander.runtime.createPod({ name: 'bystander', hostname: 'bystander' });
    const other = await pod.start(toolsContainer(['sleep', '1000']), recorder());

    const id = randomBytes(3).toString('hex');
    const dir = await mkdtemp(path.join(tmpdir(), 'updraft-sweep-'));
    const pids = await crash(id, dir, wrapper);
    expect(await Promise.all(pids.map(isAlive))).toEqual([true, true]);

    const platform = await openTestPlatform({ id, dir });
    platforms.push(platform);
    const mine = await platform.runtime.createPod({ name: 'mine', hostname: 'mine' });
    const running = await mine.start(toolsContainer(['sleep', '1000']), recorder());
    expect(await platform.runtime.sweep()).toEqual({ removed: ['one', 'two'] });
    expect(await platform.runtime.sweep()).toEqual({ removed: [] });
    expect(await Promise.all(pids.map(isAlive))).toEqual([false, false]);
    expect(await isAlive(running.pid ?? 0)).toBe(true);
    expect(await isAlive(other.pid ?? 0)).toBe(true);
    expect(await readdir(path.join(dir, 'runc/pods'))).toEqual(['mine']);

    await platform.close();
    platforms.pop();
    await expect.poll(() => processesOf(id)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
    expect((await run('find', ['/sys/fs/cgroup', '-name', `*${id}*`])).stdout).toBe('');
    expect((await run('nft', ['list', 'tables'])).stdout).not.toContain(id);
    expect((await readdir('/sys/class/net')).filter((device) => device.includes(id))).toEqual([]);
  });
});
