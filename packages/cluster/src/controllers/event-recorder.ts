import { randomBytes } from 'node:crypto';
import { codeOf, timestamp } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import type { Objects } from '../kinds/objects.ts';
import type { ObjectMeta } from '../store/types.ts';

/** What an event is about; every object of the API is one of these. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Pick<ObjectMeta, 'name' | 'uid' | 'resourceVersion' | 'namespace'>;
}

/** Writes Kubernetes events. Never throws: an event that cannot be kept is logged instead. */
export interface EventRecorder {
  normal(about: EventSubject, reason: string, message: string, fieldPath?: string): void;
  warning(about: EventSubject, reason: string, message: string, fieldPath?: string): void;
  /** The same store of events, written as another component. */
  as(component: string): EventRecorder;
}

type Entry = {
  about: EventSubject;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  fieldPath: string | undefined;
};
type Known = Map<string, { namespace: string; name: string }>;

const EVENT_LIFETIME_MS = 3_600_000;
const MAX_MESSAGE = 1024;

export function eventRecorder(options: {
  objects: Objects;
  clock: Clock;
  logger: Logger;
  component: string;
  host: string;
}): EventRecorder {
  return recorderFor(options, options.component, new Map());
}

function recorderFor(
  options: Parameters<typeof eventRecorder>[0],
  component: string,
  known: Known,
): EventRecorder {
  const record = (entry: Entry) => {
    try {
      write(options, component, known, entry);
    } catch (error) {
      options.logger.log('warn', 'an event was lost', {
        reason: entry.reason,
        error: codeOf(error) ?? String(error),
      });
    }
  };
  return {
    normal: (about, reason, message, fieldPath) =>
      record({ about, type: 'Normal', reason, message, fieldPath }),
    warning: (about, reason, message, fieldPath) =>
      record({ about, type: 'Warning', reason, message, fieldPath }),
    as: (other) => recorderFor(options, other, known),
  };
}

function write(
  options: Parameters<typeof eventRecorder>[0],
  component: string,
  known: Known,
  entry: Entry,
): void {
  const { about, type, reason, fieldPath } = entry;
  const message = entry.message.slice(0, MAX_MESSAGE);
  const now = timestamp(options.clock.now());
  const sameness = JSON.stringify([
    about.metadata.uid,
    about.kind,
    fieldPath,
    type,
    reason,
    message,
    component,
  ]);
  const earlier = known.get(sameness);
  if (earlier && countUp(options.objects, earlier, now)) return;
  const namespace = about.metadata.namespace ?? 'default';
  const name = `${about.metadata.name}.${randomBytes(8).toString('hex')}`;
  options.objects.create('events', {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      kind: about.kind,
      apiVersion: about.apiVersion,
      ...(about.metadata.namespace === undefined ? {} : { namespace }),
      name: about.metadata.name,
      uid: about.metadata.uid,
      resourceVersion: about.metadata.resourceVersion,
      ...(fieldPath === undefined ? {} : { fieldPath }),
    },
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    eventTime: null,
    source: { component, ...(component === 'kubelet' ? { host: options.host } : {}) },
    reportingComponent: component,
    reportingInstance: component === 'kubelet' ? options.host : '',
  });
  known.set(sameness, { namespace, name });
}

function countUp(objects: Objects, at: { namespace: string; name: string }, now: string): boolean {
  const stored = objects.modify('events', at.namespace, at.name, (event) => {
    event.count += 1;
    event.lastTimestamp = now;
  });
  return stored !== undefined;
}

/** Takes away events that are older than an hour; gives the time until the next look. */
export function expireEvents(objects: Objects, clock: Clock): number {
  const limit = clock.now() - EVENT_LIFETIME_MS;
  for (const event of objects.list('events')) {
    const { namespace, name } = event.metadata;
    if (Date.parse(event.lastTimestamp) < limit) objects.store.remove('events', namespace, name);
  }
  return EVENT_LIFETIME_MS / 12;
}
