import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServiceRequest } from '@updraft/gitlab-ci';
import { openTestPlatform } from '@updraft/pods/testing';
import type { TestPlatform } from '@updraft/pods/testing';
import { openBench } from './testing/bench.ts';
import type { JobBench } from './testing/bench.ts';
import { imageOf, makeRootFs } from './testing/root-fs.ts';

let platform: TestPlatform;
let bench: JobBench;
let dir: string;

/** A web server that takes a moment to start, and says so. */
const SERVER = [
  '/bin/busybox',
  'sh',
  '-c',
  'echo "starting $ROLE"; sleep 0.5; echo up > /tmp/up; exec busybox httpd -f -p 8080 -h /tmp',
];
const ports = { ExposedPorts: { '8080/tcp': {} } };

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'updraft-services-'));
  platform = await openTestPlatform();
  const rootFs = await makeRootFs(path.join(dir, 'root'), { sh: 'busybox' });
  const check = { Test: ['CMD-SHELL', '[ -e /tmp/up ]'], Interval: 1e9 };
  bench = await openBench({
    runtime: platform.runtime,
    images: {
      tools: imageOf(rootFs),
      'group/web:1.0': imageOf(rootFs, { Cmd: SERVER, ...ports }),
      checked: imageOf(rootFs, { Cmd: SERVER, Healthcheck: check }),
    },
  });
});

afterAll(async () => {
  await bench.close();
  await platform.close();
  await rm(dir, { recursive: true, force: true });
});

const service = (name: string, more: Partial<ServiceRequest> = {}): ServiceRequest => ({
  name,
  aliases: [],
  variables: {},
  ...more,
});
const get = (host: string) => `busybox wget -q -O - http://${host}:8080/up`;

test('a service is ready when the script starts, and answers to all its names', async () => {
  const { result, log, printed } = await bench.run({
    image: { name: 'tools' },
    services: [service('$GROUP/web:1.0', { aliases: ['$ALIAS', 'a b'] })],
    variables: [
      { key: 'GROUP', value: 'group', source: 'job' },
      { key: 'ALIAS', value: 'web', source: 'job' },
    ],
    script: ['web', 'group__web', 'group-web', 'a', 'b'].map(get),
  });
  expect(result.outcome, log).toEqual({ kind: 'passed' });
  expect(printed).toContain('up\nup\nup\nup\nup\n');
  expect(log).not.toContain('WARNING');
});

test('an image’s own health check decides, before any port', async () => {
  const { result, log } = await bench.run({
    image: { name: 'tools' },
    services: [service('checked')],
    script: [get('checked')],
  });
  expect(result.outcome, log).toEqual({ kind: 'passed' });
});

test('a service has its own variables beside the job’s, and is heard with CI_DEBUG_SERVICES', async () => {
  const { log } = await bench.run({
    image: { name: 'tools' },
    services: [service('group/web:1.0', { variables: { ROLE: 'for $CI_JOB_ID' } })],
    script: ['echo "role: ${ROLE-none}"'],
    variables: [{ key: 'CI_DEBUG_SERVICES', value: 'true', source: 'job' }],
  });
  expect(log).toMatch(/\[service:group\/web:1\.0\] starting for \d+\n/);
  expect(log).toContain('role: none\n');
});

test('a service that ends is said with its last words; the job goes on', async () => {
  const { result, log } = await bench.run({
    image: { name: 'tools' },
    services: [service('group/web:1.0', { command: ['sh', '-c', 'echo no licence; exit 3'] })],
    script: ['echo on'],
  });
  expect(result.outcome).toEqual({ kind: 'passed' });
  expect(log).toContain('WARNING: the service group/web:1.0 ended with exit code 3\n');
  expect(log).toContain('  no licence\n');
});

test('one that ends while the script runs is said too', async () => {
  const { log } = await bench.run({
    image: { name: 'tools' },
    services: [service('tools', { command: ['sh', '-c', 'sleep 0.3; echo boom; exit 4'] })],
    script: ['sleep 1.5'],
  });
  expect(log).toContain('the service tools ended with exit code 4');
  expect(log).toContain('  boom\n');
});

test('one that never answers is waited for, then the job runs with a warning', async () => {
  const { result, log } = await bench.run({
    image: { name: 'tools' },
    services: [service('group/web:1.0', { entrypoint: ['sleep'], command: ['300'] })],
    script: ['true'],
  });
  expect(result.outcome).toEqual({ kind: 'passed' });
  expect(log).toContain('did not answer on port 8080 within 30 s');
}, 90_000);

test('two services on one port are warned of', async () => {
  const { log } = await bench.run({
    image: { name: 'tools' },
    services: [service('group/web:1.0'), service('group/web:1.0', { aliases: ['second'] })],
    script: [get('web').replace('web', 'group-web')],
  });
  expect(log).toContain('group/web:1.0 and group/web:1.0 both use port 8080');
});

test('a job on the host is told that its services are not started', async () => {
  const { log, result } = await bench.run({ services: [service('group/web:1.0')], script: ['true'] });
  expect(result.outcome).toEqual({ kind: 'passed' });
  expect(log).toContain('WARNING: services run beside a container');
});
