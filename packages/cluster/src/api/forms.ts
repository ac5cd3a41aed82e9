import type { KubeObject } from '../store/types.ts';
import { fromFirstVersion, toFirstVersion } from './autoscaler-v1.ts';
import { withDefaults } from './custom/defaulted.ts';
import { fromEventsGroup, toEventsGroup } from './events.ts';
import { RESOURCES, apiVersionOf } from './resources.ts';
import type { ServedResource } from './resources.ts';

/** One store, several faces: how a resource that is not the one that is kept shows what is kept. */
interface Face {
  readonly toServed: (object: KubeObject) => KubeObject;
  readonly toStored: (object: KubeObject) => KubeObject;
}

const FACES: Readonly<Record<string, Face>> = {
  'events.k8s.io/v1 Event': { toServed: toEventsGroup, toStored: fromEventsGroup },
  'autoscaling/v1 HorizontalPodAutoscaler': { toServed: toFirstVersion, toStored: fromFirstVersion },
};

const faceOf = (type: ServedResource) =>
  type.custom ? undefined : FACES[`${apiVersionOf(type)} ${type.kind}`];

/** A stored object as this resource shows it. */
export function servedForm(type: ServedResource, object: KubeObject): KubeObject {
  const face = faceOf(type);
  if (face) return face.toServed(object);
  if (!type.custom) return object;
  const whole = withDefaults(type.custom.schema, object);
  const apiVersion = apiVersionOf(type);
  return whole.apiVersion === apiVersion ? whole : { ...whole, apiVersion };
}

/** The inverse: what a client of this resource sent as it is stored. @throws ApiFault 400 */
export function storedForm(type: ServedResource, object: KubeObject): KubeObject {
  const stored = faceOf(type)?.toStored(object) ?? object;
  stored.apiVersion = type.custom?.storedApiVersion ?? apiVersionOf(storedType(type));
  return stored;
}

const KEPT = new Map(RESOURCES.toReversed().map((type) => [type.storedAs, type]));

/** The resource in whose form objects of this one are kept: defaults, checks and owners of fields are that one's. */
export function storedType(type: ServedResource): ServedResource {
  return type.custom ? type : (KEPT.get(type.storedAs) ?? type);
}
