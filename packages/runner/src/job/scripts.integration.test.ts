import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestPlatform } from '@updraft/pods/testing';
import type { TestPlatform } from '@updraft/pods/testing';
import { SCRIPT_CASES } from './scripts.table.ts';
import type { ScriptCase } from './scripts.table.ts';
import { openBench } from './testing/bench.ts';
import type { JobBench } from './testing/bench.ts';
import { imageOf, makeRootFs } from './testing/root-fs.ts';

/** The same scripts everywhere: what a job means does not depend on where it runs. */
const PLACES = [
  { place: 'host, bash', image: undefined, hostShell: undefined, pipefail: true },
  { place: 'host, dash', image: undefined, hostShell: 'dash', pipefail: false },
  { place: 'runc, bash', image: 'bash', hostShell: undefined, pipefail: true },
  { place: 'runc, dash', image: 'dash', hostShell: undefined, pipefail: false },
  { place: 'runc, busybox', image: 'busybox', hostShell: undefined, pipefail: true },
];

let platform: TestPlatform;
let bench: JobBench;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'updraft-scripts-'));
  platform = await openTestPlatform();
  const [dash, bash, busybox] = await Promise.all([
    makeRootFs(path.join(dir, 'dash'), { sh: 'dash' }),
    makeRootFs(path.join(dir, 'bash'), { sh: 'dash', others: ['bash'] }),
    makeRootFs(path.join(dir, 'busybox'), { sh: 'busybox' }),
  ]);
  const images = { dash: imageOf(dash), bash: imageOf(bash), busybox: imageOf(busybox) };
  bench = await openBench({ runtime: platform.runtime, images });
});

afterAll(async () => {
  await bench.close();
  await platform.close();
  await rm(dir, { recursive: true, force: true });
});

async function check(each: ScriptCase, place: (typeof PLACES)[number]): Promise<void> {
  const variables = Object.entries(each.variables ?? {});
  const { result, log, printed } = await bench.run(
    {
      ...each.job,
      image: place.image === undefined ? undefined : { name: place.image },
      variables: variables.map(([key, value]) => ({ key, value, raw: true, source: 'job' })),
    },
    place.hostShell === undefined ? {} : { hostShell: place.hostShell },
  );
  expect(result.outcome.kind, log).toBe(each.outcome ?? 'passed');
  if (each.exitCode !== undefined) expect(result.outcome).toMatchObject({ exitCode: each.exitCode });
  if (each.prints !== undefined) expect(withoutComplaints(printed)).toBe(each.prints);
  for (const text of each.shows ?? []) expect(`\n${log}`).toContain(text);
  for (const text of each.hides ?? []) expect(`\n${log}`).not.toContain(text);
}

/** Shells word their own complaints each in its way. */
const withoutComplaints = (text: string): string => text.replaceAll(/^.*\/\.script\.sh: .*\n/gm, '');

describe.each(PLACES)('on $place', (place) => {
  const cases = SCRIPT_CASES.filter((each) => !each.pipefail || place.pipefail);
  test.each(cases.map((each) => [each.title, each] as const))('%s', (_, each) => check(each, place));
});

test('in dash a pipeline tells of its last command alone, as GitLab’s runner has it there', async () => {
  const { result } = await bench.run({ script: ['false | cat'] }, { hostShell: 'dash' });
  expect(result.outcome).toEqual({ kind: 'passed' });
});

test('a shell that is killed is 128 and the signal; in a container nothing can kill the first process from inside', async () => {
  const { result } = await bench.run({ script: ['kill -KILL $$'] });
  expect(result.outcome).toMatchObject({ kind: 'failed', exitCode: 137 });
});
