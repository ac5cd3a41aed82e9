import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scheduler } from '../scheduler/scheduler.ts';
import { startPlane } from '../testing/control-plane.ts';
import { endpointsController } from './endpoints/endpoints.ts';
import { garbageCollector } from './garbage-collector.ts';
import { ensureSystemNamespaces, namespaceController } from './namespace.ts';
import { ensureStorageClass, volumeController } from './volumes.ts';
import { workloadControllers } from './workloads.ts';

const PODS = 200;
const HOUR_MS = 3_600_000;

test('two hundred pods at rest: no controller has a timer, and an hour passes without a write', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-rest-'));
  const plane = startPlane((context) => {
    ensureSystemNamespaces(context);
    ensureStorageClass(context);
    return [
      namespaceController(context, 'PEM'),
      ...workloadControllers(context, { usage: async () => new Map() }),
      scheduler(context, 'node'),
      endpointsController(context),
      volumeController(context, dir),
      garbageCollector(context),
    ];
  });
  const { objects } = plane.context;
  objects.create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' }, spec: {} });
  const template = (app: string) => ({
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'c', image: 'a:1' }] },
  });
  const metadata = (name: string) => ({ name, namespace: 'default', generation: 1 });
  objects.create('deployments.apps', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('web'),
    spec: { replicas: PODS - 2, selector: { matchLabels: { app: 'web' } }, template: template('web') },
  });
  objects.create('statefulsets.apps', {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata('db'),
    spec: { replicas: 1, selector: { matchLabels: { app: 'db' } }, template: template('db') },
  });
  objects.create('daemonsets.apps', {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadata('agent'),
    spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
  });
  objects.create('poddisruptionbudgets.policy', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata('web'),
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
  });
  objects.create('resourcequotas', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard: { pods: '500' } },
  });
  await plane.controllers.idle();
  for (const pod of objects.list('pods')) plane.ready(pod);
  await plane.controllers.idle();
  expect(objects.list('pods')).toHaveLength(PODS);
  // The progress deadline of a rollout is planned before it is known that the rollout is done.
  await plane.clock.advance(HOUR_MS);
  await plane.controllers.idle();
  const { revision } = objects.store;
  expect(plane.clock.pending).toBe(0);
  await plane.clock.advance(HOUR_MS);
  await plane.controllers.idle();
  expect(objects.store.revision).toBe(revision);
  await plane.stop();
  await rm(dir, { recursive: true, force: true });
}, 30_000);
