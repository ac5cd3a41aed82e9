import { silentLogger } from '@updraft/kit';
import { gracefulDeletion, servedCatalog } from '../controllers/deletion.ts';
import { startControllers } from '../controllers/controller.ts';
import type { Controller, ControllerContext, RunningControllers } from '../controllers/controller.ts';
import { eventRecorder } from '../controllers/event-recorder.ts';
import { withCondition } from '../controllers/conditions.ts';
import { typedObjects } from '../kinds/objects.ts';
import type { Pod } from '../kinds/pod.ts';
import { openResourceStore } from '../store/store.ts';
import { FakeClock } from './fake-clock.ts';

/** A store in memory, a clock that stands still, and the controllers of one test. */
export interface TestPlane {
  readonly context: ControllerContext;
  readonly clock: FakeClock;
  readonly controllers: RunningControllers;
  /** Plays the kubelet: the pod runs, has an address and is (or is not) ready. */
  ready(pod: Pod, isReady?: boolean): void;
  /** Plays the kubelet: every pod that is being deleted is gone. */
  bury(): void;
  /** `reason: message` of every event, in order of writing. */
  eventTexts(): string[];
  stop(): Promise<void>;
}

export function testContext(clock: FakeClock): ControllerContext {
  const store = openResourceStore({ file: ':memory:', clock });
  const objects = typedObjects(store);
  const events = eventRecorder({ objects, clock, logger: silentLogger, component: 'test', host: 'node' });
  return {
    objects,
    clock,
    logger: silentLogger,
    events,
    deletion: gracefulDeletion(store, clock),
    catalog: servedCatalog(store),
  };
}

export function startPlane(make: (context: ControllerContext) => Controller[]): TestPlane {
  const clock = new FakeClock();
  const context = testContext(clock);
  const controllers = startControllers(make(context), context);
  let addresses = 1;
  const addressOf = (pod: Pod) => pod.status?.podIP ?? `10.1.0.${(addresses += 1)}`;
  const { objects, deletion } = context;
  return {
    context,
    clock,
    controllers,
    ready: ({ metadata }, isReady = true) => {
      objects.modify('pods', metadata.namespace, metadata.name, (pod) => {
        const change = { type: 'Ready', status: isReady ? 'True' : 'False' } as const;
        pod.spec.nodeName = 'node';
        const conditions = withCondition(pod.status?.conditions, change, clock.now());
        pod.status = { ...pod.status, phase: 'Running', podIP: addressOf(pod), conditions };
      });
    },
    bury: () => {
      for (const { metadata } of objects.list('pods').filter((pod) => pod.metadata.deletionTimestamp)) {
        deletion.delete('pods', metadata.namespace, metadata.name, { gracePeriodSeconds: 0 });
      }
    },
    eventTexts: () => objects.list('events').map(({ reason, message }) => `${reason}: ${message}`),
    stop: async () => {
      await controllers.stop();
      objects.store.close();
    },
  };
}
