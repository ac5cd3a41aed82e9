import { randomUUID } from 'node:crypto';
import { applyDefaults } from '../api/admission/defaults.ts';
import { admitByPolicies } from '../api/admission/policies/policies.ts';
import type { Draft, Kinds, KnownResource } from '../kinds/objects.ts';
import type { KubeObject } from '../store/types.ts';
import type { ControllerContext } from './controller.ts';

/**
 * Creates an object for a controller as the API would have for a client: with its uid, its defaults, and what the
 * cluster's own rules (quotas, limit ranges, priorities) say.
 * @throws ClusterFault ALREADY_EXISTS, ApiFault 403
 */
export function createAsClient<R extends KnownResource>(
  { objects }: Pick<ControllerContext, 'objects'>,
  resource: R,
  draft: Draft<Kinds[R]>,
): Kinds[R] {
  const object = { ...draft, metadata: { ...draft.metadata, uid: randomUUID() } };
  const untyped = object as unknown as KubeObject;
  applyDefaults(resource, untyped);
  admitByPolicies(objects.store, { resource, object: untyped, before: undefined });
  return objects.create(resource, object);
}
