// What one pod costs, beside the least that runc and the kernel need for the same: `npx tsx packages/pods/bench/cycle.ts`
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '@updraft/kit';
import { mountOverlay } from '../src/runc/overlay.ts';
import { openTestPlatform, recorder, toolsContainer } from '../src/testing/index.ts';

const ROUNDS = 20;

const platform = await openTestPlatform();
const { runtime, dir } = platform;

async function time(title: string, work: () => Promise<void>): Promise<number> {
  for (let warm = 0; warm < 3; warm += 1) await work();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  const median = times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0;
  process.stdout.write(
    `${title.padEnd(50)} ${median.toFixed(1)} ms (best ${Math.min(...times).toFixed(1)})\n`,
  );
  return median;
}

let config = '';
let lowest = '';
const bare = path.join(dir, 'bare');
async function bareCycle(): Promise<void> {
  await mkdir(bare, { recursive: true });
  const overlay = await mountOverlay({
    lower: [lowest],
    upper: path.join(bare, 'upper'),
    target: path.join(bare, 'root'),
  });
  const result = await run('runc', [
    '--root',
    path.join(bare, 'state'),
    'run',
    '--bundle',
    bare,
    `bare-${platform.id}`,
  ]);
  if (result.code !== 0) throw new Error(result.stderr);
  await overlay.remove();
}

async function cycle(): Promise<void> {
  const pod = await runtime.createPod({ name: 'bench', hostname: 'bench' });
  const container = await pod.start(toolsContainer(['/bin/true']), recorder());
  if (config === '')
    config = await readFile(path.join(dir, 'runc/pods/bench/main.1/config.json'), 'utf8').catch(() => '');
  const exit = await container.exited;
  if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(JSON.stringify(exit));
  await pod.remove();
}

try {
  const whole = await time('createPod, start, exit of /bin/true, remove', cycle);
  const minimal = JSON.parse(config) as {
    root: { path: string };
    linux: Record<string, unknown>;
    mounts: { type: string; destination: string }[];
  };
  minimal.root.path = path.join(bare, 'root');
  const targets = path.join(dir, 'runc/targets');
  for (const layer of await readdir(targets)) {
    if (existsSync(path.join(targets, layer, 'opt/node'))) lowest = path.join(targets, layer);
  }
  minimal.linux['cgroupsPath'] = `/updraft-${platform.id}/bare`;
  minimal.linux['namespaces'] = ['pid', 'ipc', 'uts', 'mount', 'cgroup', 'network'].map((type) => ({ type }));
  minimal.mounts = minimal.mounts.filter((mount) => !mount.destination.startsWith('/etc/'));
  await mkdir(bare, { recursive: true });
  await writeFile(path.join(bare, 'config.json'), JSON.stringify(minimal));
  const least = await time('the same by hand: mount, runc run, unmount', bareCycle);
  process.stdout.write(`ratio ${(whole / least).toFixed(2)}\n`);
} finally {
  await rm(bare, { recursive: true, force: true });
  await platform.close();
}
