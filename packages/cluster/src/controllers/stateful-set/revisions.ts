import type { PodTemplate } from '../../kinds/pod.ts';
import type { ControllerRevision, StatefulSet } from '../../kinds/workloads.ts';
import type { ControllerContext } from '../controller.ts';
import { canonicalJson, shortHash } from '../naming.ts';
import { controllerReference, isControlledBy } from '../ownership.ts';

export const REVISION_LABEL = 'controller-revision-hash';

function revisionsOf({ objects }: ControllerContext, set: StatefulSet): ControllerRevision[] {
  const all = objects.list('controllerrevisions.apps', set.metadata.namespace);
  return all.filter((revision) => isControlledBy(revision, set)).toSorted((a, b) => a.revision - b.revision);
}

/** Keeps the present template under a name of its own; gives that name. Old ones beyond the limit go. */
export function ensureRevision(context: ControllerContext, set: StatefulSet): string {
  const { objects } = context;
  const { namespace } = set.metadata;
  const hash = shortHash(canonicalJson(set.spec.template));
  const name = `${set.metadata.name}-${hash}`;
  const known = revisionsOf(context, set);
  const highest = known.at(-1)?.revision ?? 0;
  const own = known.find(({ metadata }) => metadata.name === name);
  if (!own) {
    objects.create('controllerrevisions.apps', {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: { ...set.spec.selector.matchLabels, [REVISION_LABEL]: hash },
        ownerReferences: [controllerReference(set)],
      },
      data: { template: set.spec.template },
      revision: highest + 1,
      spec: undefined,
    });
  } else if (own.revision < highest) {
    objects.modify('controllerrevisions.apps', namespace, name, (revision) => {
      revision.revision = highest + 1;
    });
  }
  prune(context, set, name);
  return name;
}

function prune(context: ControllerContext, set: StatefulSet, update: string): void {
  const used = new Set([update, set.status?.currentRevision]);
  const old = revisionsOf(context, set).filter(({ metadata }) => !used.has(metadata.name));
  const surplus = old.length - (set.spec.revisionHistoryLimit ?? 10);
  for (const { metadata } of old.slice(0, Math.max(0, surplus))) {
    context.deletion.delete('controllerrevisions.apps', metadata.namespace, metadata.name);
  }
}

export function currentRevision(set: StatefulSet, update: string): string {
  return set.status?.currentRevision || update;
}

export function templateOf({ objects }: ControllerContext, set: StatefulSet, revision: string): PodTemplate {
  const kept = objects.get('controllerrevisions.apps', set.metadata.namespace, revision);
  return kept?.data?.template ?? set.spec.template;
}
