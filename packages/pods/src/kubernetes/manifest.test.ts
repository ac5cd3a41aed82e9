import { describe, expect, it } from 'vitest';
import type { PodPlan, PodSpec } from '../types.ts';
import { objectName, podManifest, secretManifests } from './manifest.ts';
import { endOf } from './exec-session.ts';
import { goneBecause, progressOf } from './pod-status.ts';
import type { PodObject } from './pod-status.ts';

const PLACE = { id: 'abc123', helperImage: 'helper:1' };
const SPEC: PodSpec = {
  name: 'job-1',
  hostname: 'runner-job-1',
  labels: { 'updraft/job': 'build: [a, b]' },
  hosts: { postgres: '127.0.0.1', library__postgres: '127.0.0.1' },
};
const PLAN: PodPlan = {
  main: { image: { name: 'node:24', pullPolicy: 'always' }, env: {} },
  beside: [
    {
      name: 'service-0',
      rootFs: { layers: [] },
      image: { name: 'postgres:15', args: ['-c', 'fsync=off'] },
      command: [],
      env: { POSTGRES_PASSWORD: 'geheim', ü: 'left out' },
      workingDir: '',
      readyPort: 5432,
    },
  ],
  folders: ['/builds'],
  registryConfig: '{"auths":{"r":{"auth":"geheim"}}}',
};

describe('a pod', () => {
  it('holds nothing secret; that stands in Secrets of the same platform', () => {
    const pod = JSON.stringify(podManifest(SPEC, PLAN, PLACE));
    expect(pod).not.toContain('geheim');
    const secrets = secretManifests(SPEC, PLAN, PLACE);
    expect(secrets).toMatchObject([
      { metadata: { name: 'ud-abc123-job-1-service-0' }, stringData: { POSTGRES_PASSWORD: 'geheim' } },
      { metadata: { name: 'ud-abc123-job-1-registries' }, type: 'kubernetes.io/dockerconfigjson' },
    ]);
    expect(pod).toContain('"envFrom":[{"secretRef":{"name":"ud-abc123-job-1-service-0"}}]');
    expect(pod).toContain('"imagePullSecrets":[{"name":"ud-abc123-job-1-registries"}]');
  });

  it('is its main container, a helper, and what runs beside', () => {
    expect(podManifest(SPEC, PLAN, PLACE)).toMatchObject({
      metadata: { name: 'ud-abc123-job-1', labels: { 'updraft.dev/platform': 'abc123' } },
      spec: {
        automountServiceAccountToken: false,
        hostAliases: [{ ip: '127.0.0.1', hostnames: ['postgres'] }],
        containers: [
          {
            name: 'main',
            image: 'node:24',
            imagePullPolicy: 'Always',
            volumeMounts: [{ mountPath: '/builds' }],
          },
          { name: 'helper', image: 'helper:1' },
          { name: 'service-0', args: ['-c', 'fsync=off'], readinessProbe: { tcpSocket: { port: 5432 } } },
        ],
      },
    });
  });

  it.each([
    [{ ...SPEC, network: 'host' as const }, PLAN, 'the network host'],
    [SPEC, { ...PLAN, main: { env: {} } }, 'without an image'],
    [SPEC, { ...PLAN, main: { ...PLAN.main, security: { user: 'node' } } }, 'the user node'],
    [SPEC, { ...PLAN, main: { ...PLAN.main, resources: { processes: 5 } } }, 'a limit of processes'],
  ])('is refused what no cluster gives: %#', (spec, plan, message) => {
    expect(() => podManifest(spec, plan, PLACE)).toThrow(message);
  });

  it('has a name that Kubernetes takes, another one for every other', () => {
    const names = ['a', 'A', 'a_b', 'a-b', 'x'.repeat(63), `${'x'.repeat(62)}y`].map((name) =>
      objectName('id', name),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });
});

const pod = (status: NonNullable<PodObject['status']>): PodObject => ({ metadata: { name: 'p' }, status });
const waiting = (reason: string) =>
  pod({
    containerStatuses: [{ name: 'main', state: { waiting: { reason, message: `back-off: ${reason}` } } }],
  });

describe('how far a pod has come', () => {
  it('is told in the cluster’s words', () => {
    expect(progressOf(pod({}), ['main'])).toMatchObject({ kind: 'waits', why: 'main is not there yet' });
    expect(progressOf(waiting('ErrImagePull'), ['main'])).toMatchObject({ kind: 'waits' });
    for (const reason of [
      'ImagePullBackOff',
      'InvalidImageName',
      'ErrImageNeverPull',
      'CreateContainerConfigError',
    ]) {
      expect(progressOf(waiting(reason), ['main'])).toMatchObject({
        kind: 'failed',
        why: `${reason}: back-off: ${reason}`,
        next: expect.any(String) as string,
      });
    }
    const unscheduled = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/3 nodes',
    };
    expect(progressOf(pod({ conditions: [unscheduled] }), ['main'])).toEqual({
      kind: 'waits',
      why: 'Unschedulable: 0/3 nodes',
      unschedulable: true,
    });
    const running = { podIP: '10.1.1.1', containerStatuses: [{ name: 'main', state: { running: {} } }] };
    expect(progressOf(pod(running), ['main'])).toEqual({ kind: 'runs', address: '10.1.1.1' });
    expect(progressOf(pod(running), ['main', 'helper'])).toMatchObject({ kind: 'waits' });
    const evicted = { ...running, phase: 'Failed', reason: 'Evicted', message: 'low on memory' };
    expect(progressOf(pod(evicted), ['main'])).toEqual({ kind: 'failed', why: 'Evicted: low on memory' });
    expect(goneBecause({ metadata: { name: 'p', deletionTimestamp: 'now' } })).toBe(
      'somebody has deleted the pod',
    );
  });
});

it('a command’s end is read from the error channel', () => {
  expect(endOf('{"status":"Success"}')).toEqual({ kind: 'exited', code: 0 });
  const causes = [{ reason: 'ExitCode', message: '3' }];
  const failed = { status: 'Failure', reason: 'NonZeroExitCode', details: { causes } };
  expect(endOf(JSON.stringify(failed))).toEqual({ kind: 'exited', code: 3 });
  expect(endOf('{"status":"Failure","message":"no sh"}')).toEqual({ kind: 'failed', message: 'no sh' });
  expect(endOf('what?')).toEqual({ kind: 'failed', message: 'what?' });
});
