import type { Objects } from '../kinds/objects.ts';
import type { Pod } from '../kinds/pod.ts';
import type { PersistentVolumeClaim } from '../kinds/storage.ts';

export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** What the pod's claims say: a reason to wait that the user should know, or just a little patience. */
export type ClaimVerdict = { readonly obstacle: string } | { readonly binding: true } | undefined;

/** Claims of a class that waits for its first consumer are told that here it comes. */
export function judgeClaims(objects: Objects, pod: Pod, nodeName: string): ClaimVerdict {
  const { namespace } = pod.metadata;
  let binding = false;
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const name = persistentVolumeClaim.claimName;
    const claim = objects.get('persistentvolumeclaims', namespace, name);
    const obstacle = obstacleByState(objects, name, claim);
    if (obstacle !== undefined) return { obstacle };
    if (!claim || claim.status?.phase === 'Bound') continue;
    choose(objects, claim, nodeName);
    binding = true;
  }
  return binding ? { binding } : undefined;
}

function obstacleByState(
  objects: Objects,
  name: string,
  claim: PersistentVolumeClaim | undefined,
): string | undefined {
  const subject = `persistentvolumeclaim "${name}"`;
  if (!claim) return `${subject} not found`;
  if (claim.metadata.deletionTimestamp !== undefined) return `${subject} is being deleted`;
  if (claim.status?.phase === 'Bound') return undefined;
  if (claim.status?.phase === 'Lost') {
    return `${subject} bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`;
  }
  return waitsForConsumer(objects, claim) ? undefined : 'pod has unbound immediate PersistentVolumeClaims';
}

export function waitsForConsumer(objects: Objects, claim: PersistentVolumeClaim): boolean {
  const name = claim.spec.storageClassName;
  if (!name) return false;
  const storageClass = objects.get('storageclasses.storage.k8s.io', undefined, name);
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
}

function choose(objects: Objects, { metadata }: PersistentVolumeClaim, nodeName: string): void {
  objects.modify('persistentvolumeclaims', metadata.namespace, metadata.name, (claim) => {
    if (claim.metadata.annotations?.[SELECTED_NODE] !== undefined) return false;
    claim.metadata.annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: nodeName };
    return undefined;
  });
}

/** ReadWriteOncePod: one pod of the cluster at a time. */
export function isTakenByAnother(objects: Objects, pod: Pod, pods: readonly Pod[]): boolean {
  const claimsOf = ({ spec }: Pod) =>
    (spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
  const { namespace } = pod.metadata;
  const exclusive = claimsOf(pod).filter((name) =>
    objects.get('persistentvolumeclaims', namespace, name)?.spec.accessModes?.includes('ReadWriteOncePod'),
  );
  return exclusive.some((name) =>
    pods.some((other) => other.metadata.namespace === namespace && claimsOf(other).includes(name)),
  );
}
