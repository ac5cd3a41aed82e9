import { typedObjects } from '../../../kinds/objects.ts';
import type { ResourceStore, KubeObject } from '../../../store/types.ts';
import { forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';
import { recordAt, textAt } from '../members.ts';
import { sizeOf, storageOf } from '../validate-claim.ts';

/** A claim grows only when its class lets it. @throws ApiFault 403 */
export function checkClaimGrowth(
  store: ResourceStore,
  subject: Subject,
  change: { readonly object: KubeObject; readonly before: KubeObject },
): void {
  const { object, before } = change;
  if (sizeOf(storageOf(object.spec)) <= sizeOf(storageOf(before.spec))) return;
  // What is not bound yet may not change at all: validation says so.
  if (recordAt(before, 'status')['phase'] !== 'Bound') return;
  const [name, former] = [textAt(object.spec, 'storageClassName'), textAt(before.spec, 'storageClassName')];
  const storageClass =
    name && name === former
      ? typedObjects(store).get('storageclasses.storage.k8s.io', undefined, name)
      : undefined;
  if (storageClass?.allowVolumeExpansion === true) return;
  const why =
    'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
  throw forbidden(subject, object.metadata.name, why);
}
