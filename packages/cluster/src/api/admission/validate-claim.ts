import { isDeepStrictEqual } from 'node:util';
import { parseQuantity } from '../../kinds/quantity.ts';
import type { KubeObject } from '../../store/types.ts';
import { recordAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';

export function validateClaim({ spec }: KubeObject, problems: Problems): void {
  const modes = spec?.['accessModes'];
  if (!Array.isArray(modes) || modes.length === 0) {
    problems.required('spec.accessModes', 'at least 1 access mode is required');
  }
  if (storageOf(spec) === undefined) problems.required('spec.resources[storage]');
}

/** What a claim asks for; `spec` is that of a PersistentVolumeClaim. */
export const storageOf = (spec: unknown): unknown =>
  recordAt(recordAt(spec, 'resources'), 'requests')['storage'];

/** A bound claim may ask for more than it has; everything else stays. */
export function validateClaimChange(object: KubeObject, before: KubeObject, problems: Problems): void {
  const bound = recordAt(before, 'status')['phase'] === 'Bound';
  const named = Boolean(textAt(before.spec, 'volumeName'));
  const identity = (spec: Members | undefined) => ({
    ...spec,
    ...(named ? {} : { volumeName: undefined }),
    ...(bound ? { resources: withoutStorage(recordAt(spec, 'resources')) } : {}),
  });
  if (!isDeepStrictEqual(identity(object.spec), identity(before.spec))) {
    problems.forbidden(
      'spec',
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    );
  }
  const [wanted, former] = [sizeOf(storageOf(object.spec)), sizeOf(storageOf(before.spec))];
  const capacity = sizeOf(recordAt(before.status, 'capacity')['storage']);
  if (wanted < former && wanted <= capacity)
    problems.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
}

function withoutStorage(resources: Members): Members {
  const { storage: _storage, ...requests } = recordAt(resources, 'requests');
  return { ...resources, requests };
}

export function sizeOf(quantity: unknown): number {
  return parseQuantity(typeof quantity === 'number' ? String(quantity) : (quantity as string)) ?? 0;
}
