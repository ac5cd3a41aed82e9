import type { KubeObject } from '../store/types.ts';
import type { ServedResource } from './resources.ts';

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

const isNewForm = (type: ServedResource) => type.group === 'events.k8s.io';

function renamed(object: Record<string, unknown>, names: ReadonlyMap<string, string>): KubeObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]),
  ) as KubeObject;
}

const TO_NEW = new Map(RENAMED);
const TO_CORE = new Map(RENAMED.map(([core, other]) => [other, core]));

/** A stored object as this resource shows it. */
export function servedForm(type: ServedResource, object: KubeObject): KubeObject {
  if (isNewForm(type)) return { ...renamed(object, TO_NEW), apiVersion: 'events.k8s.io/v1' };
  const { custom, group, version } = type;
  const apiVersion = `${group}/${version}`;
  return custom && object.apiVersion !== apiVersion ? { ...object, apiVersion } : object;
}

/** The inverse: what a client of this resource sent as it is stored. */
export function storedForm(type: ServedResource, object: KubeObject): KubeObject {
  return isNewForm(type) ? { ...renamed(object, TO_CORE), apiVersion: 'v1' } : object;
}
