import type { ObjectMeta, ResourceName } from '../store/types.ts';
import type { ConditionChange } from './conditions.ts';

/** What a namespace that is being deleted still holds: how many of each resource, and under how many of each finalizer. */
export interface Remains {
  readonly resources: Map<ResourceName, number>;
  readonly finalizers: Map<string, number>;
}

export const NOTHING: Remains = { resources: new Map(), finalizers: new Map() };

export function noteRemaining(
  remains: Remains,
  resource: ResourceName,
  { finalizers = [] }: ObjectMeta,
): void {
  count(remains.resources, resource);
  for (const finalizer of finalizers) count(remains.finalizers, finalizer);
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The five conditions of a namespace that is being deleted, in Kubernetes' order and words. */
export function remainsConditions({ resources, finalizers }: Remains): ConditionChange[] {
  return [
    good('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    good(
      'NamespaceDeletionGroupVersionParsingFailure',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    good(
      'NamespaceDeletionContentFailure',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ),
    resources.size > 0
      ? bad(
          'NamespaceContentRemaining',
          'SomeResourcesRemain',
          `Some resources are remaining: ${ofEach(resources)}`,
        )
      : good('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'),
    finalizers.size > 0
      ? bad(
          'NamespaceFinalizersRemaining',
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${inEach(finalizers)}`,
        )
      : good(
          'NamespaceFinalizersRemaining',
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ),
  ];
}

const good = (type: string, reason: string, message: string): ConditionChange => ({
  type,
  status: 'False',
  reason,
  message,
});

const bad = (type: string, reason: string, message: string): ConditionChange => ({
  type,
  status: 'True',
  reason,
  message,
});

const sorted = (counts: ReadonlyMap<string, number>) => [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));

/** `resource.group`, with the dot also where the group is the nameless one. */
const ofEach = (counts: ReadonlyMap<string, number>) =>
  sorted(counts)
    .map(([name, many]) => `${name.includes('.') ? name : `${name}.`} has ${many} resource instances`)
    .join(', ');

const inEach = (counts: ReadonlyMap<string, number>) =>
  sorted(counts)
    .map(([name, many]) => `${name} in ${many} resource instances`)
    .join(', ');
