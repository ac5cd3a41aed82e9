import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../store/types.ts';
import { RESOURCES } from '../resources.ts';
import { duration, selectorText } from './format.ts';
import { summarisePod } from './pod-cells.ts';
import { toTable } from './table.ts';

const metadata = { name: 'a', uid: '', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const NOW = Date.parse('2026-01-01T01:00:00Z');

describe('durations', () => {
  it.each([
    [-5000, '<invalid>'],
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [200_000, '3m20s'],
    [3_600_000, '60m'],
    [5 * 3_600_000, '5h'],
    [5.5 * 3_600_000, '5h30m'],
    [47 * 3_600_000, '47h'],
    [75 * 3_600_000, '3d3h'],
    [400 * 86_400_000, '400d'],
    [1000 * 86_400_000, '2y270d'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('pods', () => {
  const state = (name: string, given: object, more: object = {}) => ({
    name,
    state: given,
    ready: false,
    restartCount: 0,
    ...more,
  });
  const pod = (spec: object, status: object, meta: object = {}) => ({
    metadata: { ...metadata, ...meta },
    spec,
    status,
  });
  const one = { containers: [{ name: 'a' }] };
  it.each([
    ['Pending', '0/1', pod(one, { phase: 'Pending' })],
    [
      'Running',
      '1/1',
      pod(one, { phase: 'Running', containerStatuses: [state('a', { running: {} }, { ready: true })] }),
    ],
    [
      'CrashLoopBackOff',
      '0/1',
      pod(one, {
        phase: 'Running',
        containerStatuses: [state('a', { waiting: { reason: 'CrashLoopBackOff' } })],
      }),
    ],
    [
      'Completed',
      '0/1',
      pod(one, {
        phase: 'Succeeded',
        containerStatuses: [state('a', { terminated: { reason: 'Completed' } })],
      }),
    ],
    [
      'ExitCode:3',
      '0/1',
      pod(one, { phase: 'Failed', containerStatuses: [state('a', { terminated: { exitCode: 3 } })] }),
    ],
    ['Terminating', '0/1', pod(one, { phase: 'Running' }, { deletionTimestamp: 'x' })],
    [
      'Init:0/1',
      '0/1',
      pod(
        { ...one, initContainers: [{ name: 'i' }] },
        { phase: 'Pending', initContainerStatuses: [state('i', { running: {} })] },
      ),
    ],
    [
      'Init:Error',
      '0/1',
      pod(
        { ...one, initContainers: [{ name: 'i' }] },
        { initContainerStatuses: [state('i', { terminated: { exitCode: 1, reason: 'Error' } })] },
      ),
    ],
  ])('%s', (status, ready, given) => {
    expect(summarisePod(given, NOW)).toMatchObject({ status, ready });
  });

  it('tells when it restarted last', () => {
    const lastState = { terminated: { finishedAt: '2026-01-01T00:58:00Z' } };
    const given = pod(one, {
      phase: 'Running',
      containerStatuses: [state('a', { running: {} }, { restartCount: 3, lastState })],
    });
    expect(summarisePod(given, NOW).restarts).toBe('3 (2m ago)');
  });
});

describe('tables', () => {
  it('can show an object of any kind that has nothing in it', () => {
    for (const type of RESOURCES) {
      const object: KubeObject = { apiVersion: 'v1', kind: type.kind, metadata };
      const table = toTable(
        type,
        [object],
        {},
        { apiVersion: 'meta.k8s.io/v1', include: 'Metadata', nowMs: NOW, headers: true },
      );
      const { columnDefinitions, rows } = table as {
        columnDefinitions: unknown[];
        rows: { cells: unknown[]; object: unknown }[];
      };
      expect(rows[0]?.cells).toHaveLength(columnDefinitions.length);
      expect(rows[0]?.cells).not.toContain(undefined);
      expect(rows[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    }
  });

  it('shows how much of a quota is used, limits apart', () => {
    const type = RESOURCES.find(({ plural }) => plural === 'resourcequotas');
    const hard = { pods: '12', 'requests.cpu': '2', 'limits.memory': '4Gi', 'limits.cpu': '12' };
    const used = { pods: '4', 'requests.cpu': '150m', 'limits.memory': '1280Mi', 'limits.cpu': '4' };
    const quota: KubeObject = { apiVersion: 'v1', kind: 'ResourceQuota', metadata, status: { hard, used } };
    const { rows } = toTable(
      type!,
      [quota],
      {},
      { apiVersion: 'meta.k8s.io/v1', include: 'None', nowMs: NOW, headers: true },
    ) as { rows: { cells: unknown[] }[] };
    expect(rows[0]?.cells.slice(0, 3)).toEqual([
      'a',
      'pods: 4/12, requests.cpu: 150m/2',
      'limits.cpu: 4/12, limits.memory: 1280Mi/4Gi',
    ]);
  });

  it('shows who is bound, when asked for all', () => {
    const type = RESOURCES.find(({ plural }) => plural === 'rolebindings');
    const subjects = [
      { kind: 'User', name: 'kim' },
      { kind: 'ServiceAccount', name: 'a', namespace: 'shop' },
      { kind: 'User', name: 'lee' },
    ];
    const binding = { apiVersion: '', kind: '', metadata, roleRef: { kind: 'Role', name: 'r' }, subjects };
    const { rows, columnDefinitions } = toTable(
      type!,
      [binding],
      {},
      { apiVersion: 'meta.k8s.io/v1', include: 'None', nowMs: NOW, headers: true },
    ) as { rows: { cells: unknown[] }[]; columnDefinitions: { name: string; priority: number }[] };
    expect(rows[0]?.cells).toEqual(['a', 'Role/r', '60m', 'kim, lee', '', 'shop/a']);
    expect(columnDefinitions.slice(3).map(({ name, priority }) => `${name} ${priority}`)).toEqual([
      'Users 1',
      'Groups 1',
      'ServiceAccounts 1',
    ]);
  });

  it('shows selectors as they are written', () => {
    const matchExpressions = [
      { key: 'b', operator: 'In', values: ['c', 'd'] },
      { key: 'e', operator: 'DoesNotExist' },
    ];
    expect(selectorText({ matchLabels: { a: 'x' }, matchExpressions })).toBe('a=x,b in (c,d),!e');
  });
});
