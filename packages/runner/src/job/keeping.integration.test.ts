import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runOrThrow } from '@updraft/kit';
import type { Artifacts, Cache, Variable } from '@updraft/gitlab-ci';
import { archivedNames } from './files.ts';
import { openBench } from './testing/bench.ts';
import type { JobBench } from './testing/bench.ts';

let bench: JobBench;
beforeEach(async () => {
  bench = await openBench({ files: { 'src/a.js': 'a', '.gitignore': 'ignored\n' } });
});
afterEach(() => bench.close());

const artifacts = (more: Partial<Artifacts>): Artifacts => ({
  paths: [],
  exclude: [],
  untracked: false,
  name: undefined,
  when: 'on_success',
  expireInSeconds: undefined,
  exposeAs: undefined,
  reports: {},
  ...more,
});
const cache = (more: Partial<Cache>): Cache => ({
  key: 'k',
  unprotect: true,
  fallbackKeys: [],
  paths: ['deps'],
  untracked: false,
  policy: 'pull-push',
  when: 'on_success',
  ...more,
});
const jobVariable = (key: string, value: string): Variable => ({ key, value, raw: true, source: 'job' });
const keptIn = async (outputDir: string) =>
  existsSync(path.join(outputDir, 'artifacts.tar'))
    ? archivedNames(path.join(outputDir, 'artifacts.tar'))
    : [];

describe('artifacts', () => {
  test('paths of the job’s own folder, variables in them, and a record beside the archive', async () => {
    const { result, outputDir, log } = await bench.run({
      script: ['mkdir -p out/sub; echo 1 > out/sub/.f; echo 2 > out/g.tmp'],
      variables: [jobVariable('WHERE', 'out')],
      artifacts: artifacts({
        paths: ['$CI_PROJECT_DIR/$WHERE', 'none/*', '/etc/hostname', '../..'],
        exclude: ['$WHERE/*.tmp'],
        name: '$CI_JOB_ID-$WHERE',
        exposeAs: 'the result',
        expireInSeconds: 60,
      }),
    });
    expect(await keptIn(outputDir)).toEqual(['./out/sub/.f']);
    expect(result.artifacts).toMatchObject({ name: '1-out', files: 1, exposeAs: 'the result' });
    expect(result.artifacts?.expiresAt).toBeGreaterThan(Date.now() + 50_000);
    expect(JSON.parse(readFileSync(path.join(outputDir, 'artifacts.json'), 'utf8'))).toEqual(
      result.artifacts,
    );
    expect(log).toContain('WARNING: none/*: no matching files');
    expect(log).toContain('WARNING: /etc/hostname: lies outside');
    expect(log).toContain('WARNING: ../..: lies outside');
  });

  test.each([
    ['on_success', 'true', true],
    ['on_success', 'false', false],
    ['on_failure', 'true', false],
    ['on_failure', 'false', true],
    ['always', 'false', true],
  ] as const)('when %s after `%s`: %s', async (when, end, kept) => {
    const { outputDir } = await bench.run({
      script: ['echo x > f', end],
      artifacts: artifacts({ paths: ['f'], when }),
    });
    expect((await keptIn(outputDir)).length > 0).toBe(kept);
  });

  test('untracked takes what git does not know, ignored files too', async () => {
    await runOrThrow('git', ['-C', bench.checkout, 'init', '--quiet']);
    await runOrThrow('git', ['-C', bench.checkout, 'add', '.']);
    const { outputDir } = await bench.run({
      script: ['echo 1 > ignored; echo 2 > new; echo 3 > src/a.js'],
      artifacts: artifacts({ untracked: true, exclude: ['new'] }),
    });
    expect(await keptIn(outputDir)).toEqual(['./ignored']);
  });

  test('pages and access are said; a folder that git does not know has nothing untracked', async () => {
    const { log, result } = await bench.run({
      script: ['mkdir public; echo x > public/index.html'],
      pages: { publish: 'public', pathPrefix: undefined },
      artifacts: artifacts({ paths: ['public'], untracked: true, access: 'developer' }),
    });
    expect(result.artifacts?.files).toBe(1);
    expect(log).toContain('WARNING: untracked: git cannot tell');
    expect(log).toContain('NOTE: GitLab would publish the folder public');
    expect(log).toContain('NOTE: artifacts:access: developer has no effect');
  });

  test('what cannot be kept fails a good job, and leaves a failed one its own failure', async () => {
    const outputDir = path.join(bench.dir, 'in-the-way');
    writeFileSync(outputDir, 'no folder');
    const asked = { artifacts: artifacts({ paths: ['src'], when: 'always' }) };
    const good = await bench.run({ ...asked, script: ['true'] }, { outputDir });
    expect(good.result.outcome.kind).toBe('couldNotRun');
    const bad = await bench.run({ ...asked, script: ['exit 5'] }, { outputDir });
    expect(bad.result.outcome).toMatchObject({ kind: 'failed', exitCode: 5 });
  });

  test('they reach a later job, over the commit’s files', async () => {
    const first = await bench.run({
      script: ['echo made > src/a.js'],
      artifacts: artifacts({ paths: ['src'] }),
    });
    const file = path.join(first.outputDir, 'artifacts.tar');
    const second = await bench.run(
      { script: ['cat src/a.js'] },
      { incoming: { archives: [{ job: 'first', file }], dotenv: { FROM: 'dotenv' } } },
    );
    expect(second.printed).toContain('made\n');
  });
});

describe('reports', () => {
  test('are read whatever the outcome, and shown as data', async () => {
    const { result, outputDir } = await bench.run({
      script: [
        `echo '<testsuite><testcase name="t"><failure message="no"/></testcase></testsuite>' > r.xml`,
        'echo "Total: 81.5%"',
        'exit 1',
      ],
      coverage: String.raw`Total: (\d+\.\d+)%`,
      artifacts: artifacts({ reports: { junit: ['*.xml'], sast: ['none.json'] } }),
    });
    expect(result.outcome).toMatchObject({ kind: 'failed', exitCode: 1 });
    expect(result.reports).toMatchObject([{ kind: 'tests', tests: 1, failures: 1 }]);
    expect(result.coverage).toBe(81.5);
    expect(await archivedNames(path.join(outputDir, 'reports/junit.tar'))).toEqual(['./r.xml']);
    expect(await keptIn(outputDir)).toEqual([]);
  });

  test('dotenv gives variables and the environment’s address; a bad one fails the job as in GitLab', async () => {
    const environment = {
      name: 'e',
      slug: 'e',
      url: 'https://$HOST/$CI_JOB_ID',
      action: 'start',
      onStop: undefined,
      autoStopInSeconds: undefined,
      tier: 'other',
    } as const;
    const asked = { environment, artifacts: artifacts({ reports: { dotenv: ['build.env'] } }) };
    const good = await bench.run({ ...asked, script: ['echo HOST=example.com > build.env'] });
    expect(good.result).toMatchObject({
      outcome: { kind: 'passed' },
      dotenv: { HOST: 'example.com' },
      environmentUrl: 'https://example.com/1',
    });
    const bad = await bench.run({ ...asked, script: ['echo "# no" > build.env'] });
    expect(bad.result).toMatchObject({
      outcome: { kind: 'failed', exitCode: 1, reason: expect.stringContaining('build.env') },
      dotenv: {},
    });
  });

  test('a report that is a link to a file of the host is not read', async () => {
    const { result, log } = await bench.run({
      script: ['ln -s /etc/passwd build.env'],
      artifacts: artifacts({ reports: { dotenv: ['build.env'] } }),
    });
    expect(result.outcome.kind).toBe('failed');
    expect(JSON.stringify(result) + log).not.toContain('root:');
  });
});

describe('caches', () => {
  test('persist between jobs; a second key, a fallback, a policy from a variable', async () => {
    const make = await bench.run({ script: ['mkdir deps; echo 1 > deps/a'], caches: [cache({})] });
    expect(make.log).toContain('Saved 1 files to the cache k');
    const again = await bench.run({ script: ['cat deps/a'], caches: [cache({})] });
    expect(again.log).toContain('Restored the cache k');
    expect(again.log).toContain('The cache k is up to date');
    const other = await bench.run({
      script: ['cat deps/a; echo 2 > deps/a'],
      variables: [jobVariable('P', 'pull')],
      caches: [
        cache({ key: 'new', fallbackKeys: ['missing', 'k'], policy: '$P' }),
        cache({ key: 'two', paths: ['x'] }),
      ],
    });
    expect(other.log).toContain('Restored the cache k');
    expect(other.log).not.toContain('Saved');
  });

  test('a failing job saves only what is wanted then; nothing about a cache fails a job', async () => {
    const failing = await bench.run({
      script: ['mkdir deps; echo 1 > deps/a; exit 1'],
      caches: [cache({}), cache({ key: 'f', when: 'on_failure' })],
    });
    expect(failing.log).not.toContain('the cache k (');
    expect(failing.log).toContain('the cache f (');
    writeFileSync(path.join(bench.config.dir, 'caches-in-the-way'), '');
    const blocked = await openBench({ config: { dir: path.join(bench.dir, 'blocked') } });
    mkdirSync(blocked.config.dir, { recursive: true });
    writeFileSync(path.join(blocked.config.dir, 'caches'), 'no folder');
    const { result, log } = await blocked.run({
      script: ['mkdir deps; echo 1 > deps/a'],
      caches: [cache({})],
    });
    expect(result.outcome, log).toEqual({ kind: 'passed' });
    expect(log).toMatch(/WARNING: a cache could not be saved/);
    await blocked.close();
  });

  test('a key made of files is that of the job’s start', async () => {
    const key = { files: ['src/a.js'], prefix: undefined };
    const first = await bench.run({
      script: ['mkdir deps; echo 1 > deps/a; echo changed > src/a.js'],
      caches: [cache({ key })],
    });
    expect(first.log).toContain('Saved');
    const second = await bench.run({ script: ['cat deps/a'], caches: [cache({ key })] });
    expect(second.result.outcome).toEqual({ kind: 'passed' });
  });

  test('nothing half-written is left in the folders of caches', async () => {
    await Promise.all(
      [1, 2, 3, 4].map((each) =>
        bench.run({ script: [`mkdir deps; echo ${each} > deps/a`], caches: [cache({})] }),
      ),
    );
    const names = readdirSync(path.join(bench.config.dir, 'caches'), { recursive: true }).map(String);
    expect(names.filter((name) => name.endsWith('.tar'))).toHaveLength(1);
    expect(names.filter((name) => name.endsWith('.part') || name.endsWith('.tmp'))).toEqual([]);
  });
});
