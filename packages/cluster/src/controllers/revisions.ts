import type { PodTemplate } from '../kinds/pod.ts';
import type { ControllerRevision, DaemonSet, StatefulSet } from '../kinds/workloads.ts';
import type { ControllerContext } from './controller.ts';
import { createComplete } from './creation.ts';
import { canonicalJson, shortHash } from './naming.ts';
import { controllerReference, isControlledBy } from './ownership.ts';

export const REVISION_LABEL = 'controller-revision-hash';
const HASH_LABEL = 'controller.kubernetes.io/hash';
const KEPT = 10;

/** The kinds that keep their past templates as ControllerRevisions. */
export type Revised = StatefulSet | DaemonSet;

export interface Revision {
  readonly name: string;
  readonly hash: string;
}

/** Each of the two kinds has its own name for it, from before there was a common one. */
const hashLabelOf = ({ kind }: Revised) => (kind === 'DaemonSet' ? REVISION_LABEL : HASH_LABEL);

function revisionsOf({ objects }: ControllerContext, owner: Revised): ControllerRevision[] {
  const all = objects.list('controllerrevisions.apps', owner.metadata.namespace);
  return all.filter((one) => isControlledBy(one, owner)).toSorted((a, b) => a.revision - b.revision);
}

/** Keeps the present template under a name of its own, with the highest revision of all. */
export function ensureRevision(context: ControllerContext, owner: Revised): Revision {
  const hash = shortHash(canonicalJson(owner.spec.template));
  const name = `${owner.metadata.name}-${hash}`;
  const known = revisionsOf(context, owner);
  const highest = known.at(-1)?.revision ?? 0;
  const own = known.find(({ metadata }) => metadata.name === name);
  if (!own) create(context, owner, { name, hash, revision: highest + 1 });
  else if (own.revision < highest) {
    context.objects.modify('controllerrevisions.apps', owner.metadata.namespace, name, (stored) => {
      stored.revision = highest + 1;
    });
  }
  return { name, hash };
}

function create(
  context: ControllerContext,
  owner: Revised,
  of: Revision & { readonly revision: number },
): void {
  const { namespace, annotations = {} } = owner.metadata;
  const cause = annotations['kubernetes.io/change-cause'];
  createComplete(context, 'controllerrevisions.apps', {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: of.name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...owner.spec.template.metadata?.labels, [hashLabelOf(owner)]: of.hash },
      ...(cause === undefined ? {} : { annotations: { 'kubernetes.io/change-cause': cause } }),
      ownerReferences: [controllerReference(owner)],
    },
    data: { spec: { template: { ...owner.spec.template, $patch: 'replace' } } },
    revision: of.revision,
    spec: undefined,
  });
}

/** Old revisions beyond the limit go, but for those that pods still are of. */
export function pruneRevisions(
  context: ControllerContext,
  owner: Revised,
  isUsed: (revision: Revision) => boolean,
): void {
  const old = revisionsOf(context, owner).filter(
    ({ metadata }) => !isUsed({ name: metadata.name, hash: metadata.labels?.[hashLabelOf(owner)] ?? '' }),
  );
  const surplus = old.length - (owner.spec.revisionHistoryLimit ?? KEPT);
  for (const { metadata } of old.slice(0, Math.max(0, surplus))) {
    context.deletion.delete('controllerrevisions.apps', metadata.namespace, metadata.name);
  }
}

/** The template of that revision; the present one when it is not kept any more. */
export function templateOf({ objects }: ControllerContext, owner: Revised, name: string): PodTemplate {
  const kept = objects.get('controllerrevisions.apps', owner.metadata.namespace, name);
  const stored: PodTemplate & { $patch?: string } = kept?.data?.spec?.template ?? owner.spec.template;
  const { $patch: _directive, ...template } = stored;
  return template;
}
