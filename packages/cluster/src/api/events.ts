import type { KubeObject } from '../store/types.ts';

/** Core name -> name in events.k8s.io. One store holds both, in core's form. */
const RENAMED: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['source', 'deprecatedSource'],
  ['reportingComponent', 'reportingController'],
];

function renamed(object: Record<string, unknown>, names: ReadonlyMap<string, string>): KubeObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]),
  ) as KubeObject;
}

const TO_NEW = new Map(RENAMED);
const TO_CORE = new Map(RENAMED.map(([core, other]) => [other, core]));

/** An event of the core group as `events.k8s.io/v1` shows it. */
export function toEventsGroup(event: KubeObject): KubeObject {
  return { ...renamed(event, TO_NEW), apiVersion: 'events.k8s.io/v1' };
}

/** The inverse: what is stored. */
export function fromEventsGroup(event: KubeObject): KubeObject {
  return { ...renamed(event, TO_CORE), apiVersion: 'v1' };
}
