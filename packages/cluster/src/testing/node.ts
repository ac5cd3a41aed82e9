import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFakeRuntime } from '@updraft/pods/testing';
import type { FakeBehaviour, FakeRuntime } from '@updraft/pods/testing';
import type { ContainerConfig } from '@updraft/oci';
import type { ControllerContext } from '../controllers/controller.ts';
import { startKubelet } from '../kubelet/kubelet.ts';
import type { Kubelet } from '../kubelet/kubelet.ts';
import type { Container, Pod, PodSpec } from '../kinds/pod.ts';
import { testContext } from './control-plane.ts';
import type { Grant } from '../types.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { fakeImages } from './fake-images.ts';

export interface TestNode {
  readonly context: ControllerContext;
  readonly clock: FakeClock;
  readonly runtime: FakeRuntime;
  readonly kubelet: Kubelet;
  readonly pulls: string[];
  readonly credentials: object[];
  readonly dir: string;
  /** Creates a pod that is bound to the node, and waits until the kubelet has done what needs no time. */
  run(container: Partial<Container>, spec?: Partial<PodSpec>): Promise<Pod>;
  pod(name?: string): Pod | undefined;
  /** Waits in real time, for the file system: until the check holds. */
  until(check: () => boolean): Promise<void>;
  /** Lets time pass; the file system is given a little real time, too. */
  pass(ms: number): Promise<void>;
  events(): string[];
  /** Starts the kubelet anew over the same objects, as after a crash. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

type FakeOptions = NonNullable<Parameters<typeof createFakeRuntime>[0]>;

export interface NodeOptions {
  readonly images?: Readonly<Record<string, ContainerConfig>>;
  readonly remote?: Readonly<Record<string, ContainerConfig>>;
  readonly behave?: NonNullable<FakeOptions['run']>;
  readonly exec?: NonNullable<FakeOptions['exec']>;
  readonly grants?: readonly Grant[];
}

const NEVER: FakeBehaviour = { runsMs: 'never' };

/** What the file system needs in real time. */
async function breathe(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) {
    await settle(4);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 3000; turn += 1) {
    if (check()) return breathe();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`this did not come true: ${String(check)}`);
}

const UNDECIDED = new Set(['ContainerCreating', 'PodInitializing']);

export async function startNode(options: NodeOptions = {}): Promise<TestNode> {
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-kubelet-'));
  const clock = new FakeClock();
  const context = testContext(clock);
  const run = options.behave ?? (() => NEVER);
  const runtime = createFakeRuntime({ clock, run, ...(options.exec ? { exec: options.exec } : {}) });
  const images = fakeImages({
    present: options.images ?? { 'web:1': { Cmd: ['serve'] } },
    remote: options.remote ?? {},
  });
  const begin = () =>
    startKubelet({
      ...context,
      dir,
      runtime,
      store: images.store,
      images: images.provider,
      tokens: {
        issue: () => ({ token: 'token', expiresAtMs: 0, audiences: [] }),
        review: () => undefined,
        discovery: { configuration: {}, keys: {} },
      },
      clusterDomain: 'cluster.local',
      grants: new Set(options.grants ?? []),
      nodeName: 'node',
      nodeAddress: '10.0.0.1',
      drained: async () => undefined,
    });
  let kubelet = await begin();
  const { objects } = context;
  const decided = (pod: Pod | undefined) =>
    pod?.status?.containerStatuses?.some(({ state }) => !UNDECIDED.has(state.waiting?.reason ?? '')) === true;
  const find = (name = 'p') => objects.get('pods', 'shop', name);
  return {
    context,
    clock,
    runtime,
    get kubelet() {
      return kubelet;
    },
    pulls: images.pulls,
    credentials: images.credentials,
    dir,
    run: async (container, spec = {}) => {
      const containers = [{ name: 'c', image: 'web:1', ...container }];
      const created = objects.create('pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', namespace: 'shop', generation: 1, labels: { app: 'web' } },
        spec: { nodeName: 'node', restartPolicy: 'Always', containers, ...spec },
      });
      const isTold = () => objects.list('events').some(({ type }) => type === 'Warning');
      await until(() => decided(find()) || runtime.started.length > 0 || isTold());
      await until(() => runtime.started.length === 0 || find()?.status?.containerStatuses !== undefined);
      return find() ?? created;
    },
    pod: find,
    until,
    pass: async (ms) => {
      await clock.advance(ms);
      await breathe();
    },
    events: () => objects.list('events').map(({ reason, message }) => `${reason}: ${message}`),
    crash: async () => {
      await kubelet.stop();
      kubelet = await begin();
      await breathe();
    },
    stop: async () => {
      await kubelet.stop();
      objects.store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
