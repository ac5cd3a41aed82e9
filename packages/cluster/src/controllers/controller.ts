import { messageOf } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import { isForEndingNamespace } from '../api/admission/policies/namespace-lifecycle.ts';
import type { Webhooks } from '../api/webhooks/gate.ts';
import type { Objects } from '../kinds/objects.ts';
import type { KubeObject, ObjectMeta, ResourceName, WatchEvent } from '../store/types.ts';
import type { EventRecorder } from './event-recorder.ts';
import { WorkQueue } from './work-queue.ts';
import type { Again } from './work-queue.ts';

/** The graceful way to take an object away: deletionTimestamp, finalizers, grace. A missing object is no error. */
export interface Deletion {
  delete(
    resource: ResourceName,
    namespace: string | undefined,
    name: string,
    options?: {
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
      readonly gracePeriodSeconds?: number;
      readonly uid?: string;
    },
  ): void;
  /** To be called after a finalizer was taken off: removes the object if it is marked for deletion and nothing holds it. */
  finish(resource: ResourceName, namespace: string | undefined, name: string): void;
}

/** Which resources there are, for those who look at all of them. */
export interface Catalog {
  all(): readonly { readonly name: ResourceName; readonly namespaced: boolean }[];
  byKind(apiVersion: string, kind: string): ResourceName | undefined;
}

/** What controllers are given to work with. */
export interface ControllerContext {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  readonly deletion: Deletion;
  readonly catalog: Catalog;
  /** Asked about what is created; absent where there is no API. */
  readonly webhooks?: Webhooks;
}

/**
 * Brings one kind of thing from what is to what should be. Level triggered: `reconcile` reads the present state and may be
 * called at any time, for any key, any number of times.
 */
export interface Controller {
  readonly name: string;
  /** The resources whose changes matter; 'all' for every one. */
  readonly resources: readonly ResourceName[] | 'all';
  /** The keys to look at after this event. Cheap: it runs inside the write. */
  keys(event: WatchEvent): Iterable<string>;
  reconcile(key: string): Again | Promise<Again>;
}

export interface RunningControllers {
  /** Looks at a key again though nothing has changed. */
  nudge(controller: string, key: string): void;
  /** Resolves when no controller has anything to do now, which may never be under load: for tests. */
  idle(): Promise<void>;
  /** Resolves when the named controllers, one after the other, have done what was waiting for them. */
  settled(...names: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the controllers: first with everything there is, then with every change. */
export function startControllers(
  controllers: readonly Controller[],
  context: Pick<ControllerContext, 'objects' | 'clock' | 'logger' | 'catalog'>,
): RunningControllers {
  const running = controllers.map((controller) => ({ controller, queue: queueFor(controller, context) }));
  const offer = (event: WatchEvent) => {
    for (const { controller, queue } of running) {
      const { resources } = controller;
      if (resources !== 'all' && !resources.includes(event.resource)) continue;
      for (const key of controller.keys(event)) queue.add(key);
    }
  };
  const { store } = context.objects;
  const unwatch = store.watch(offer);
  for (const { name } of context.catalog.all()) {
    for (const object of store.list(name)) {
      offer({ type: 'ADDED', resource: name, object, previous: undefined, revision: store.revision });
    }
  }
  const queues = new Map(running.map(({ controller, queue }) => [controller.name, queue]));
  return {
    nudge: (name, key) => queues.get(name)?.add(key),
    idle: async () => {
      // One controller's writes are another's work: go round until a whole round saw no write.
      for (let before = -1; before !== store.revision;) {
        before = store.revision;
        for (const queue of queues.values()) await queue.idle();
      }
    },
    settled: async (...names) => {
      for (const name of names) await queues.get(name)?.idle();
    },
    stop: async () => {
      unwatch();
      await Promise.all(running.map(({ queue }) => queue.stop()));
    },
  };
}

function queueFor(controller: Controller, context: Pick<ControllerContext, 'clock' | 'logger'>): WorkQueue {
  return new WorkQueue({
    clock: context.clock,
    reconcile: (key) => unlessEnding(() => controller.reconcile(key)),
    onError: (key, error) =>
      context.logger.log('warn', 'reconciliation failed, will be tried again', {
        controller: controller.name,
        key,
        error: messageOf(error),
      }),
  });
}

/** What a namespace that is being deleted lacks is no failure, and trying again would not help. */
async function unlessEnding(reconcile: () => Again | Promise<Again>): Promise<Again> {
  try {
    return await reconcile();
  } catch (error) {
    if (isForEndingNamespace(error)) return undefined;
    throw error;
  }
}

/** `namespace/name`, or just the name of what lies in no namespace. */
export function keyOf(object: { metadata: Pick<ObjectMeta, 'namespace' | 'name'> }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}

/** Key of the controlling owner of that kind, for a dependent's event. */
export function ownerKey(object: KubeObject, kind: string): string[] {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  return owner?.kind === kind ? [`${object.metadata.namespace ?? ''}/${owner.name}`] : [];
}
