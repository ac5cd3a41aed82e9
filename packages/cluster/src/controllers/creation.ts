import { randomUUID } from 'node:crypto';
import { applyDefaults } from '../api/admission/defaults.ts';
import type { Draft, Kinds, KnownResource } from '../kinds/objects.ts';
import type { KubeObject } from '../store/types.ts';
import type { ControllerContext } from './controller.ts';

/**
 * Creates an object for a controller as the API would have for a client: with its uid, its defaults.
 * @throws ClusterFault ALREADY_EXISTS
 */
export function createAsClient<R extends KnownResource>(
  { objects }: Pick<ControllerContext, 'objects'>,
  resource: R,
  draft: Draft<Kinds[R]>,
): Kinds[R] {
  const object = { ...draft, metadata: { ...draft.metadata, uid: randomUUID() } };
  applyDefaults(resource, object as unknown as KubeObject);
  return objects.create(resource, object);
}
