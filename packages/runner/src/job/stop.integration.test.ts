import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '@updraft/kit';
import { openTestPlatform } from '@updraft/pods/testing';
import type { TestPlatform } from '@updraft/pods/testing';
import { openBench } from './testing/bench.ts';
import type { JobBench } from './testing/bench.ts';
import { imageOf, makeRootFs } from './testing/root-fs.ts';

let platform: TestPlatform;
let bench: JobBench;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'updraft-stop-'));
  platform = await openTestPlatform();
  const rootFs = await makeRootFs(path.join(dir, 'root'), { sh: 'dash', others: ['bash'] });
  bench = await openBench({ runtime: platform.runtime, images: { shells: imageOf(rootFs) } });
});

afterAll(async () => {
  await bench.close();
  await platform.close();
  await rm(dir, { recursive: true, force: true });
});

/** Cancels a job as soon as it has printed `ready`. */
async function cancelWhenReady(job: Parameters<JobBench['run']>[0]) {
  const controller = new AbortController();
  const started = performance.now();
  let log = '';
  const ran = await bench.run(job, {
    signal: controller.signal,
    onLog: (text) => {
      log += text;
      if (/^it is ready$/m.test(log)) controller.abort(new Error('canceled'));
    },
  });
  return { ...ran, ms: performance.now() - started };
}

describe.each([
  { place: 'host', image: undefined },
  { place: 'runc', image: { name: 'shells' } },
])('a cancel on $place', ({ image }) => {
  test('ends every process in the foreground at once and runs after_script', async () => {
    const { result, log, ms } = await cancelWhenReady({
      image,
      script: ['sh -c "echo it is ready; sleep 300; echo never" | cat', 'echo never'],
      afterScript: ['echo "after: $CI_JOB_STATUS"'],
    });
    expect(result.outcome).toEqual({ kind: 'canceled' });
    expect(log).toContain('after: canceled\n');
    expect(log).not.toMatch(/^never/m);
    expect(ms).toBeLessThan(5000);
  });

  test('lets a script clean up', async () => {
    const { result, log } = await cancelWhenReady({
      image,
      script: ["trap 'echo cleaned; exit 1' TERM", 'echo it is ready', 'sleep 300', 'echo never'],
    });
    expect(result.outcome).toEqual({ kind: 'canceled' });
    expect(log).toMatch(/^cleaned$/m);
  });

  test('kills what does not listen', async () => {
    const { result, ms } = await cancelWhenReady({
      image,
      script: ["trap '' TERM", 'echo it is ready; while :; do sleep 1; done'],
    });
    expect(result.outcome).toEqual({ kind: 'canceled' });
    expect(ms).toBeGreaterThan(9000);
    expect(ms).toBeLessThan(20_000);
  });
});

/** The process whose id a script has written is gone, or a zombie. */
async function isGone(file: string): Promise<boolean> {
  const pid = readFileSync(file, 'utf8').trim();
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const status = `/proc/${pid}/stat`;
    if (!existsSync(status) || readFileSync(status, 'utf8').split(') ')[1]?.startsWith('Z')) return true;
    await systemClock.sleep(20);
  }
  return false;
}

test('what a script leaves in the background ends with it', async () => {
  const file = path.join(dir, 'background');
  const { result } = await bench.run({ script: [`sleep 300 & echo $! > ${file}`] });
  expect(result.outcome).toEqual({ kind: 'passed' });
  expect(await isGone(file)).toBe(true);
});

test('what has left the script’s group and session ends with it, too', async () => {
  const file = path.join(dir, 'daemon');
  const daemon = `trap "" TERM HUP; echo $$ > ${file}; while :; do sleep 1; done`;
  const { result } = await bench.run({
    script: [`(setsid sh -c '${daemon}' &)`, `while [ ! -s ${file} ]; do sleep 0.05; done`],
  });
  expect(result.outcome).toEqual({ kind: 'passed' });
  expect(await isGone(file)).toBe(true);
});

test('a cancel reaches processes that have left the script’s group', async () => {
  const file = path.join(dir, 'session');
  await cancelWhenReady({
    script: [
      `setsid sh -c 'trap "" TERM; echo $$ > ${file}; while :; do sleep 1; done' & sleep 1; echo it is ready; wait`,
    ],
  });
  expect(await isGone(file)).toBe(true);
});

test('canceled before it starts: nothing runs', async () => {
  const controller = new AbortController();
  controller.abort(new Error('canceled'));
  const { result, log } = await bench.run({ script: ['echo no'] }, { signal: controller.signal });
  expect(result.outcome).toEqual({ kind: 'canceled' });
  expect(log).not.toMatch(/^no$/m);
});
