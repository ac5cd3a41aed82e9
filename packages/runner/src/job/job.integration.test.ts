import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job, Variable } from '@updraft/gitlab-ci';
import { openTestPlatform } from '@updraft/pods/testing';
import type { TestPlatform } from '@updraft/pods/testing';
import { openBench } from './testing/bench.ts';
import type { JobBench } from './testing/bench.ts';
import { imageOf, makeRootFs } from './testing/root-fs.ts';

let platform: TestPlatform;
let bench: JobBench;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'updraft-job-'));
  platform = await openTestPlatform();
  const shells = await makeRootFs(path.join(dir, 'shells'), { sh: 'dash', others: ['bash'] });
  const bare = await makeRootFs(path.join(dir, 'bare'), {});
  bench = await openBench({
    runtime: platform.runtime,
    files: { 'a.txt': 'from the commit\n', 'notes.md': '# What is new\n' },
    images: {
      shells: imageOf(shells),
      bare: imageOf(bare),
      user: imageOf(shells, { User: 'user', Env: ['FROM_IMAGE=yes'] }),
      entry: imageOf(shells, { Entrypoint: ['sh', '-c', 'echo entered; exec "$@"', 'entry'] }),
    },
  });
});

afterAll(async () => {
  await bench.close();
  await platform.close();
  await rm(dir, { recursive: true, force: true });
});

const variable = (key: string, value: string, more: Partial<Variable> = {}): Variable => ({
  key,
  value,
  raw: true,
  source: 'project',
  ...more,
});
const base = { position: { file: 'x', line: 1, column: 1 } } satisfies Partial<Job>;

test('the commit’s files are there, and what the job writes does not reach them', async () => {
  const { printed } = await bench.run({ script: ['cat a.txt', 'echo changed > a.txt', 'rm notes.md'] });
  expect(printed).toContain('from the commit\n');
  expect(readFileSync(path.join(bench.checkout, 'a.txt'), 'utf8')).toBe('from the commit\n');
  expect(readdirSync(path.join(bench.config.dir, 'jobs')).filter((name) => !name.endsWith('.gone'))).toEqual(
    [],
  );
});

test('an image without a shell says so', async () => {
  const { result, log } = await bench.run({
    image: { name: 'bare' },
    script: ['echo x'],
    afterScript: ['echo y'],
  });
  expect(result.outcome).toMatchObject({ kind: 'couldNotRun' });
  expect(result.outcome.kind === 'couldNotRun' && result.outcome.message).toContain(
    'the image bare has no shell',
  );
  expect(log).toContain('ERROR: the image bare has no shell');
  expect(log).not.toContain('Running after_script');
});

test('an image’s entrypoint runs before the shell; an empty one is none', async () => {
  const own = await bench.run({ image: { name: 'entry' }, script: ['echo in'] });
  expect(own.printed).toBe('entered\nin\n');
  const none = await bench.run({ image: { name: 'entry', entrypoint: [''] }, script: ['echo in'] });
  expect(none.printed).toBe('in\n');
});

test('an image’s user can write to the project, and sees what the image sets', async () => {
  const { printed, log } = await bench.run({
    image: { name: 'user' },
    script: ['id -u', 'echo "$FROM_IMAGE"', 'echo x > new'],
  });
  expect(printed, log).toBe('1000\nyes\n');
});

test('the files of the container stay from script to after_script, its processes do not', async () => {
  const { log } = await bench.run({
    image: { name: 'shells' },
    script: ['echo kept > /tmp/f'],
    afterScript: ['cat /tmp/f'],
  });
  expect(log).toMatch(/^kept$/m);
});

test('variables of type file hold the path of a file beside the project', async () => {
  for (const image of [undefined, { name: 'shells' }]) {
    const { printed } = await bench.run(
      {
        image,
        script: ['cat "$CONFIG"', '[ "$CONFIG" = "$CI_PROJECT_DIR.tmp/CONFIG" ] && echo beside'],
      },
      { projectVariables: [variable('CONFIG', 'line 1\nline 2\n', { file: true })] },
    );
    expect(printed).toBe('line 1\nline 2\nbeside\n');
  }
});

test('a variable of type file may be called as our scripts are', async () => {
  const { printed } = await bench.run(
    { script: ['cat "$script"'] },
    { projectVariables: [variable('script', 'mine\n', { file: true })] },
  );
  expect(printed).toBe('mine\n');
});

test('values too large for a process’s environment, and a script of a megabyte', async () => {
  for (const image of [undefined, { name: 'shells' }]) {
    const { printed, log, result } = await bench.run(
      { image, script: ['echo "${#LARGE} $SMALL"', `: '${'x'.repeat(1024 * 1024)}'`] },
      { projectVariables: [variable('LARGE', 'y'.repeat(300_000)), variable('SMALL', 'small')] },
    );
    expect(result.outcome, log.slice(0, 2000)).toEqual({ kind: 'passed' });
    expect(printed).toBe('300000 small\n');
  }
});

test('a variable that no process can be given is named', async () => {
  const { result } = await bench.run({ script: ['true'] }, { projectVariables: [variable('BAD', 'a\0b')] });
  expect(result.outcome).toMatchObject({ kind: 'couldNotRun', message: expect.stringContaining('"BAD"') });
});

test('masked values are hidden, also those of the job’s own token', async () => {
  const { log } = await bench.run(
    { script: ['printf "tops"; sleep 0.1; echo ecret99', 'echo "$CI_JOB_TOKEN" | head -c 40'] },
    { projectVariables: [variable('PASS', 'topsecret99', { masked: true })] },
  );
  expect(log).not.toContain('topsecret99');
  expect(log.match(/\[MASKED\]/g)).toHaveLength(2);
});

test('the hook runs before the files are there, and its folder is not the job’s', async () => {
  for (const image of [undefined, { name: 'shells' }]) {
    const { log, result } = await bench.run({
      image,
      preGetSources: ['ls', 'echo hooked; echo x > left-by-hook'],
      script: ['ls'],
    });
    expect(result.outcome).toEqual({ kind: 'passed' });
    expect(log.indexOf('hooked')).toBeLessThan(log.indexOf('a.txt'));
    expect(log.slice(log.lastIndexOf('$ ls'))).not.toContain('left-by-hook');
  }
  const failing = await bench.run({
    preGetSources: ['exit 8'],
    script: ['echo never'],
    afterScript: ['echo never'],
  });
  expect(failing.result.outcome).toMatchObject({ kind: 'failed', exitCode: 8 });
  expect(failing.printed).not.toContain('never');
});

test('steps run in order, each in a shell of its own with its own variables', async () => {
  const step = (name: string, script: string, env = {}) => ({ name, script, source: undefined, env });
  const { log, result } = await bench.run({
    steps: [
      step('one', 'A=1; echo "one $X"', { X: '$CI_JOB_ID-x' }),
      step('two', 'echo "two ${A-unset} ${X-unset}"'),
      step('three', 'exit 3'),
      step('four', 'echo never'),
    ],
  });
  expect(result.outcome).toMatchObject({ kind: 'failed', exitCode: 3 });
  expect(log).toMatch(
    /Running the step one\n[^]*\none \d+-x\n[^]*Running the step two\n[^]*\ntwo unset unset\n/,
  );
  expect(log).not.toContain('four');
  const foreign = await bench.run({
    steps: [{ name: 'far', script: undefined, source: 'step: gitlab.com/x@v1', env: {} }],
  });
  expect(foreign.result.outcome).toMatchObject({
    kind: 'couldNotRun',
    message: expect.stringContaining('gitlab.com/x@v1'),
  });
});

test('a missing secret is named with what to do, and one that is given comes as a file', async () => {
  const requiredSecrets = [
    { name: 'DB_PASS', provider: 'vault', file: true },
    { name: 'ID', provider: 'id_token', file: false },
  ];
  const missing = await bench.run({ ...base, requiredSecrets, script: ['echo never'] });
  expect(missing.result.outcome).toMatchObject({
    kind: 'couldNotRun',
    message: expect.stringMatching(/DB_PASS.*vault.*ID/),
  });
  expect(missing.log).toContain('--variable DB_PASS=VALUE');
  const given = await bench.run(
    { requiredSecrets, script: ['cat "$DB_PASS" | head -c 6; echo "... $ID"'] },
    { projectVariables: [variable('DB_PASS', 'secret-value'), variable('ID', 'x.y.z')] },
  );
  expect(given.printed).toBe('secret... x.y.z\n');
});

test('a release is recorded after a good script only', async () => {
  const release = {
    tagName: 'v$N',
    description: 'notes.md',
    name: undefined,
    ref: undefined,
    tagMessage: undefined,
  };
  const variables = [variable('N', '1.2', { source: 'job' })];
  const good = await bench.run({ release, variables, script: ['true'] });
  expect(good.result.release).toMatchObject({
    tagName: 'v1.2',
    name: 'v1.2',
    description: '# What is new\n',
  });
  expect(good.log).toContain('v1.2');
  const bad = await bench.run({ release, variables, script: ['false'] });
  expect(bad.result.release).toBeUndefined();
});

test('GIT_CHECKOUT: "false" shows the repository without its files', async () => {
  const git = path.join(bench.checkout, '.git');
  mkdirSync(git);
  writeFileSync(path.join(git, 'HEAD'), 'ref: refs/heads/main\n');
  const { printed } = await bench.run({
    script: ['ls -A', 'cat .git/HEAD'],
    variables: [variable('GIT_CHECKOUT', 'false', { source: 'job' })],
  });
  rmSync(git, { recursive: true });
  expect(printed).toBe('.git\nref: refs/heads/main\n');
});

test('GIT_STRATEGY', async () => {
  const withStrategy = (value: string) =>
    bench.run({
      script: ['ls', 'echo end'],
      variables: [variable('GIT_STRATEGY', value, { source: 'job' })],
    });
  expect((await withStrategy('none')).printed).toBe('end\n');
  expect((await withStrategy('fetch')).printed).toContain('a.txt');
  expect((await withStrategy('odd')).result.outcome).toMatchObject({ kind: 'couldNotRun' });
});

test('the job’s time-out also ends what leads up to its script', async () => {
  const images = { resolve: () => new Promise<never>(() => undefined) };
  const stuck = await openBench({ config: { images } });
  try {
    const { result } = await stuck.run({ image: { name: 'x' }, script: ['true'], timeoutSeconds: 1 });
    expect(result.outcome).toEqual({ kind: 'timedOut', afterSeconds: 1 });
  } finally {
    await stuck.close();
  }
});
