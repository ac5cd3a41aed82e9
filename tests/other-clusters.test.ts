import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryFrom, temporaryFolder, updraft } from './harness.ts';

/** The embedded cluster, reached as any other is: by a kubeconfig alone. */

const { dir, remove } = temporaryFolder('clusters');
const kubeconfig = path.join(dir, 'kubeconfig');
afterAll(remove);

const PODS = `
image: debian:bookworm-slim
stages: [build, test]
make:
  stage: build
  variables: {SECRET_TOKEN: very-secret-1234}
  cache: {key: k, paths: [.cache/]}
  script:
    - echo "hello from $(. /etc/os-release; echo $ID) in $CI_PROJECT_DIR"
    - echo "token $SECRET_TOKEN"; ./run.sh
    - mkdir -p .cache out/deep; cat .cache/n 2>/dev/null || echo no cache; echo kept > .cache/n
    - echo made > out/deep/file; echo VERSION=1.2 > build.env; export GONE=1
  after_script: ["echo after $CI_JOB_STATUS $GONE > out/after"]
  artifacts: {paths: [out/], reports: {dotenv: build.env}}
use:
  stage: test
  services: [{name: 'debian:bookworm-slim', alias: beside, command: [sh, -c, 'echo I am beside; sleep 600']}]
  script: ["cat out/deep/file out/after", 'echo "version $VERSION"', getent hosts beside]
fails:
  stage: test
  needs: []
  script: [echo before, "sh -c 'exit 3'", echo never]
  after_script: ["echo after $CI_JOB_STATUS"]
unknown:
  stage: test
  needs: []
  image: registry.invalid/none:1
  script: [echo never]
  allow_failure: true
`;

const DEPLOYS = `
deploy:
  stage: deploy
  environment: {name: review/x, url: "http://x.$KUBE_DOMAIN", on_stop: stop}
  script: &ask
    - echo "$CERTIFICATE_AUTHORITY_DATA" | base64 -d > ca; echo "$CLIENT_CERTIFICATE_DATA" | base64 -d > crt
    - echo "$CLIENT_KEY_DATA" | base64 -d > key; echo "key $CLIENT_KEY_DATA"
    - curl --silent --cacert ca --cert crt --key key "https://$CLUSTER_DOMAIN/api/v1/namespaces/default" | grep '"name"'
stop:
  stage: deploy
  when: manual
  environment: {name: review/x, action: stop}
  script: *ask
`;

async function project(name: string, configuration: string): Promise<string> {
  const [source, target] = [path.join(dir, `${name}-files`), path.join(dir, name)];
  mkdirSync(source);
  writeFileSync(path.join(source, '.gitlab-ci.yml'), configuration);
  writeFileSync(path.join(source, 'run.sh'), '#!/bin/sh\necho it runs\n');
  chmodSync(path.join(source, 'run.sh'), 0o755);
  await repositoryFrom(source, target);
  return target;
}

beforeAll(async () => {
  const printed = await updraft(['kubeconfig'], { cwd: dir });
  expect(printed.code, printed.stderr).toBe(0);
  writeFileSync(kubeconfig, printed.stdout, { mode: 0o600 });
});

interface Result {
  readonly name: string;
  readonly status: string;
  readonly exit_code: number | null;
  readonly output: string;
}

test('jobs are pods of it, and end as they do here', async () => {
  const cwd = await project('pods', PODS);
  const here = await updraft(['run', 'make', 'use', 'fails', '--json'], { cwd });
  const there = await updraft(['run', '--json', '--executor', 'kubernetes', '--kubeconfig', kubeconfig], {
    cwd,
  });
  expect([here.code, there.code]).toEqual([1, 1]);
  const byName = (text: string) => new Map((JSON.parse(text) as Result[]).map((job) => [job.name, job]));
  const [ours, theirs] = [byName(here.stdout), byName(there.stdout)];
  /** What scripts print; lines of the runner's own differ. */
  const printed = (job: Result | undefined) =>
    (job?.output ?? '')
      .split('\n')
      .filter((line) => /^(hello|token|it runs|made|after|version|before|127)/.test(line));
  for (const name of ['make', 'use', 'fails']) {
    const [a, b] = [ours.get(name), theirs.get(name)];
    expect([b?.status, b?.exit_code], b?.output).toEqual([a?.status, a?.exit_code]);
    expect(printed(b)).toEqual(printed(a));
    expect(printed(b).length).toBeGreaterThan(0);
  }
  expect(theirs.get('make')?.output).toContain('token [MASKED]');
  expect(theirs.get('make')?.output).toContain('kept');
  expect(theirs.get('unknown')?.output).toMatch(/ImagePullBackOff.*registry\.invalid/);
  expect(await podsThere()).toEqual([]);
});

let looks = 0;

/** Pods of jobs, as the cluster tells. */
async function podsThere(): Promise<readonly string[]> {
  looks += 1;
  const job = await project(
    `look-${looks}`,
    `
look:
  script:
    - echo "$CERTIFICATE_AUTHORITY_DATA" | base64 -d > ca; echo "$CLIENT_CERTIFICATE_DATA" | base64 -d > crt
    - echo "$CLIENT_KEY_DATA" | base64 -d > key
    - curl --silent --cacert ca --cert crt --key key "https://$CLUSTER_DOMAIN/api/v1/namespaces/default/pods"
`,
  );
  const { stdout } = await updraft(['run', '--json'], { cwd: job });
  const [result] = JSON.parse(stdout) as Result[];
  const output = result?.output ?? '';
  return [...output.matchAll(/"name": ?"(ud-[^"]*-job-[^"]*)"/g)].map(([, name = '']) => name);
}

test('a job that is canceled ends there, its after_script runs, and its pod goes', async () => {
  const cwd = await project(
    'canceled',
    `
long:
  image: debian:bookworm-slim
  script: ["trap 'echo told' TERM", "sleep 300 & wait; echo over; exit 1"]
  after_script: ["echo after $CI_JOB_STATUS"]
`,
  );
  let canceling: Promise<unknown> | undefined;
  const { code, stdout } = await updraft(
    ['run', '--json', '--logs', '--executor', 'kubernetes', '--kubeconfig', kubeconfig],
    {
      cwd,
      onStderr: (text) => {
        if (text.includes('sleep 300')) canceling ??= updraft(['cancel'], { cwd });
      },
    },
  );
  await canceling;
  expect(code).toBe(1);
  const [job] = JSON.parse(stdout) as Result[];
  expect(job?.status).toBe('canceled');
  expect(job?.output).toContain('told');
  expect(job?.output).toContain('after canceled');
  expect(await podsThere()).toEqual([]);
});

test('environments are deployed there and stopped there', async () => {
  const cwd = await project('deploys', DEPLOYS);
  const incomplete = await updraft(['run', 'deploy', '--kubeconfig', kubeconfig], { cwd });
  expect(incomplete.code).toBe(2);
  expect(incomplete.stderr).toContain('needs KUBE_DOMAIN');
  const given = ['--kubeconfig', kubeconfig, '--variable', 'KUBE_DOMAIN=apps.example.com'];
  const { code, stdout, stderr } = await updraft(['run', 'deploy', '--json', ...given], { cwd });
  expect(code, stderr).toBe(0);
  const [deploy] = JSON.parse(stdout) as Result[];
  expect(deploy?.output).toContain('key [MASKED]');
  expect(deploy?.output).toMatch(/"name": ?"default"/);
  const listed = await updraft(['env', 'list', '--json'], { cwd });
  const environments = JSON.parse(listed.stdout) as { name: string; url: string; cluster?: string }[];
  expect(environments.find(({ url }) => url === 'http://x.apps.example.com')).toMatchObject({
    name: 'review/x',
    cluster: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
  });
  const stopped = await updraft(['env', 'stop', 'review/x', '--logs'], { cwd });
  expect(stopped.code, stopped.stderr).toBe(0);
  expect(stopped.stderr).toMatch(/"name": ?"default"/);
});

test.each([
  [['--executor', 'docker'], 'no executor docker'],
  [['--executor', 'kubernetes'], '--kubeconfig FILE'],
  [['--kubeconfig', 'none'], 'there is no such file'],
  [['--kubeconfig', 'kubeconfig', '--context', 'other'], 'has no context "other"'],
  [['--context', 'other'], '--kubeconfig FILE'],
])('%j is refused with a next step', async (args, message) => {
  const cwd = await project(`refused-${args.join('').replaceAll('-', '')}`, 'job: {script: [echo x]}\n');
  const options = args.map((each) => (each === 'kubeconfig' ? kubeconfig : each));
  const { code, stderr } = await updraft(['run', ...options], { cwd });
  expect([2, 3]).toContain(code);
  expect(stderr).toContain(message);
});
