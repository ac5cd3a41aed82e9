import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execute, git, remains, root, sharedHome, temporaryFolder, updraft } from './harness.ts';

/** The whole road, for real: this repository's own pipeline, from a commit to environments that answer. */

interface Environment {
  readonly name: string;
  readonly slug: string;
  readonly url: string;
  readonly state: string;
}

const { dir, remove } = temporaryFolder('road');
const project = path.join(dir, 'project');

beforeAll(async () => {
  const { code, stderr } = await execute('git', ['clone', '--quiet', '--no-hardlinks', root, project]);
  expect(code, stderr).toBe(0);
  await git(project, 'checkout', '--quiet', '-B', 'main');
  await git(project, 'remote', 'remove', 'origin');
});
afterAll(remove);

async function run(...args: string[]) {
  const progress = process.env['CI'] ? (text: string) => void process.stderr.write(text) : undefined;
  const finished = await updraft(['run', '--json', ...args], {
    cwd: project,
    ...(progress ? { onStderr: progress } : {}),
  });
  expect(finished.code, finished.stderr).toBe(0);
  return JSON.parse(finished.stdout) as {
    name: string;
    status: string;
    notes: string[];
    coverage: number | null;
  }[];
}

async function environment(name: string): Promise<Environment> {
  const { stdout } = await updraft(['env', 'list', '--json'], { cwd: project });
  const found = (JSON.parse(stdout) as Environment[]).find((each) => each.name === name);
  if (!found) throw new Error(`no environment ${name} in ${stdout}`);
  return found;
}

const curl = (...args: string[]) =>
  execute('curl', ['--silent', '--show-error', '--max-time', '10', ...args]);

const status = async (url: string): Promise<string> =>
  (await curl('--output', '/dev/null', '--write-out', '%{http_code}', url)).stdout;

/** Gives the service an entry and says where it is. */
async function post(url: string): Promise<string> {
  const entry = path.join(root, 'src/data/addresses/namo.json');
  const { stdout } = await curl('--include', '--data-binary', `@${entry}`, `${url}/addresses`);
  const location = /^location: (\/addresses\/[0-9a-f]{32})\r?$/im.exec(stdout)?.[1];
  expect(location, stdout).toBeDefined();
  return location ?? '';
}

async function kubectl(...args: string[]) {
  const { stdout } = await updraft(['kubeconfig'], { cwd: project });
  const file = path.join(dir, 'kubeconfig');
  writeFileSync(file, stdout, { mode: 0o600 });
  return execute('kubectl', ['--kubeconfig', file, ...args]);
}

const hasKubectl = (await execute('sh', ['-c', 'command -v kubectl'])).code === 0;

describe('the default branch', () => {
  test('goes through all seven stages to preproduction', async () => {
    const jobs = await run();
    const failed = jobs.filter((job) => job.status === 'failed').map((job) => job.name);
    // Scans without advisories end as warnings; nothing else may fail.
    expect(failed.filter((name) => !name.startsWith('docker-security-scan'))).toEqual([]);
    for (const name of [
      'docker-lint',
      'build-image',
      'unit-test',
      'code-coverage',
      'deploy',
      'post-get-test',
    ]) {
      expect(jobs.find((job) => job.name === name)?.status, name).toBe('success');
    }
    expect(jobs.find((job) => job.name === 'code-coverage')?.coverage).toBeGreaterThan(50);
  });

  test('the environment answers and keeps what it is given', async () => {
    const { url, state } = await environment('preproduction');
    expect(state).toBe('available');
    expect(await status(`${url}/readyz`)).toBe('200');
    const location = await post(url);
    expect(await status(`${url}${location}`)).toBe('200');
  });

  test('the coverage report is served beside it', async () => {
    const { url } = await environment('preproduction-coverage');
    expect((await curl(`${url}/`)).stdout).toMatch(/All files/);
  });

  test('its playbooks change nothing the second time', async () => {
    const names = ['deploy', 'serve-coverage-report'];
    const finished = await updraft(['retry', '--json', ...names], { cwd: project });
    expect(finished.code, finished.stderr).toBe(0);
    const jobs = JSON.parse(finished.stdout) as { name: string; attempt: number }[];
    for (const name of names) {
      expect(jobs.find((job) => job.name === name)?.attempt, name).toBe(2);
      const { stdout } = await updraft(['logs', name], { cwd: project });
      expect(stdout.match(/changed=\d+/g)?.at(-1), stdout).toBe('changed=0');
    }
  });

  test('a deployment that does not become ready fails, and what served before goes on serving', async () => {
    const { url } = await environment('preproduction');
    await git(project, 'checkout', '--quiet', '-b', 'broken', 'main');
    const dockerfile = path.join(project, '.gitlab/docker/app/Dockerfile');
    const text = readFileSync(dockerfile, 'utf8');
    expect(text).toContain('"dist/main.js"');
    writeFileSync(dockerfile, text.replace('"dist/main.js"', '"dist/not-there.js"'));
    await git(project, 'commit', '--quiet', '--all', '--message', 'Start what is not there');
    await git(project, 'branch', '--force', 'main', 'broken');
    const args = ['run', '--json', '--ref', 'main', '--variable', 'ROLLOUT_SECONDS=12'];
    const finished = await updraft(args, { cwd: project });
    expect(finished.code, finished.stderr).toBe(1);
    const jobs = JSON.parse(finished.stdout) as { name: string; status: string }[];
    expect(jobs.find((job) => job.name === 'deploy')?.status).toBe('failed');
    expect(jobs.find((job) => job.name === 'post-get-test')?.status).toBe('skipped');
    expect(await status(`${url}/readyz`)).toBe('200');
    await git(project, 'branch', '--force', 'main', 'broken~1');
    await git(project, 'checkout', '--quiet', 'main');
  });

  test.skipIf(!hasKubectl)('kubectl lists its pods', async () => {
    const { code, stdout, stderr } = await kubectl('get', 'pods', '-A', '--no-headers');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/preproduction\s+app-\S+\s+1\/1\s+Running/);
  });
});

describe('a tag', () => {
  test('gives three ready replicas in production', async () => {
    await git(project, 'tag', 'v0.1.0', 'main');
    await run('--tag', 'v0.1.0');
    const { url, slug } = await environment('production');
    const location = await post(url);
    // One after the other answers: what one was given, all have.
    for (let count = 0; count < 6; count += 1) expect(await status(`${url}${location}`)).toBe('200');
    if (!hasKubectl) return;
    const { stdout } = await kubectl(
      '-n',
      slug,
      'get',
      'deployments',
      '-o',
      'jsonpath={.items[*].status.readyReplicas}',
    );
    expect(stdout.split(' ')).toContain('3');
  });
});

describe('a feature branch', () => {
  test('gets a review environment that env stop removes', async () => {
    await git(project, 'branch', '--force', 'feat-search', 'main');
    await run('--ref', 'feat-search');
    const review = await environment('review/feat-search');
    expect(await status(`${review.url}/addresses`)).toBe('200');
    const stopped = await updraft(['env', 'stop', 'review/feat-search'], { cwd: project });
    expect(stopped.code, stopped.stderr).toBe(0);
    expect(await status(`${review.url}/addresses`)).not.toBe('200');
    for (const name of ['review/feat-search', 'review-coverage/feat-search']) {
      expect((await environment(name)).state, name).toBe('stopped');
    }
    if (hasKubectl) expect((await kubectl('get', 'namespace', review.slug)).code).not.toBe(0);
  });
});

describe('a killed daemon', () => {
  test('comes back with its environments', async () => {
    const { url } = await environment('preproduction');
    const { stdout } = await updraft(['status', '--json'], { cwd: project });
    process.kill(JSON.parse(stdout).pid as number, 'SIGKILL');
    expect((await updraft(['up'], { cwd: project })).code).toBe(0);
    const deadline = performance.now() + 30_000;
    while ((await status(`${url}/readyz`)) !== '200' && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(await status(`${url}/readyz`)).toBe('200');
  });

  test('down leaves nothing on the machine', async () => {
    expect((await updraft(['down'], { cwd: project })).code).toBe(0);
    expect(await remains(sharedHome)).toEqual([]);
  });
});
