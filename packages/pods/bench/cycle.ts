// What one pod costs, beside the least that runc and the kernel need for the same: `npx tsx packages/pods/bench/cycle.ts`
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '@updraft/kit';
import { mountOverlay } from '../src/runc/overlay.ts';
import { openTestPlatform, recorder, toolsContainer } from '../src/testing/index.ts';

const ROUNDS = 20;

const platform = await openTestPlatform();
const { runtime, dir } = platform;

/** Processor time of this process and of all programs it has waited for, in steps of 10 ms. */
function cpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

interface Way {
  readonly title: string;
  readonly work: () => Promise<void>;
  readonly times: number[];
  cpu: number;
}

const wayOf = (title: string, work: () => Promise<void>): Way => ({ title, work, times: [], cpu: 0 });

async function once(way: Way): Promise<void> {
  const [start, cpu] = [performance.now(), cpuMs()];
  await way.work();
  way.times.push(performance.now() - start);
  way.cpu += cpuMs() - cpu;
}

/** The ways in turn, so that whatever else the machine does slows all of them down. */
async function compare(ways: readonly Way[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) for (const way of ways) await once(way);
}

const median = ({ times }: Way): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

function print(way: Way): void {
  const [best, cpu] = [Math.min(...way.times), way.cpu / way.times.length];
  process.stdout.write(
    `${way.title.padEnd(50)} ${median(way).toFixed(1)} ms (best ${best.toFixed(1)}, processor ${cpu.toFixed(1)})\n`,
  );
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
  for (let warm = 0; warm < 3; warm += 1) await cycle();
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
  await bareCycle();
  const whole = wayOf('createPod, start, exit of /bin/true, remove', cycle);
  const least = wayOf('the same by hand: mount, runc run, unmount', bareCycle);
  await compare([whole, least]);
  for (const way of [whole, least]) print(way);
  process.stdout.write(`ratio ${(median(whole) / median(least)).toFixed(2)}\n`);
} finally {
  await rm(bare, { recursive: true, force: true });
  await platform.close();
}
