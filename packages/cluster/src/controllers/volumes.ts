import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { PersistentVolume, PersistentVolumeClaim } from '../kinds/storage.ts';
import { parseQuantity } from '../kinds/quantity.ts';
import { keyOf, splitKey } from './controller.ts';
import type { Controller, ControllerContext } from './controller.ts';

export const LOCAL_CLASS = 'local';
const PROVISIONER = 'updraft.dev/local';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const FINALIZER = 'kubernetes.io/pvc-protection';

/** The class whose volumes are folders of this machine. */
export function ensureStorageClass({ objects }: Pick<ControllerContext, 'objects'>): void {
  if (objects.get('storageclasses.storage.k8s.io', undefined, LOCAL_CLASS)) return;
  objects.create('storageclasses.storage.k8s.io', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: LOCAL_CLASS, annotations: { [DEFAULT_CLASS]: 'true' } },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
}

/**
 * Binds claims: to a volume somebody made that fits, else to a new folder under `dir`. A claim that is deleted stays until no
 * pod uses it; then its volume follows its reclaim policy. Sizes are written down, not enforced.
 */
export function volumeController(context: ControllerContext, dir: string): Controller {
  return {
    name: 'volumes',
    resources: ['persistentvolumeclaims', 'persistentvolumes', 'pods'],
    keys: ({ resource, object, type }) => {
      if (resource === 'persistentvolumeclaims') return [keyOf(object)];
      if (resource === 'persistentvolumes') return [`/${object.metadata.name}`];
      return type === 'DELETED' ? claimsOf(context, object.metadata.namespace) : [];
    },
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      return namespace === '' ? reclaim(context, name) : bind(context, dir, { namespace, name });
    },
  };
}

function claimsOf({ objects }: ControllerContext, namespace: string | undefined): string[] {
  return objects.list('persistentvolumeclaims', namespace).map(keyOf);
}

function bind(
  context: ControllerContext,
  dir: string,
  at: { namespace: string; name: string },
): void | Promise<void> {
  const claim = context.objects.get('persistentvolumeclaims', at.namespace, at.name);
  if (!claim) return undefined;
  if (claim.metadata.deletionTimestamp !== undefined) return letGo(context, claim);
  if (claim.status?.phase === 'Bound') return undefined;
  const name = claim.spec.volumeName;
  const volume = name ? context.objects.get('persistentvolumes', undefined, name) : fitting(context, claim);
  if (volume) return tie(context, claim, volume);
  // A claim that names a volume waits for that one.
  return name || (claim.spec.storageClassName ?? LOCAL_CLASS) !== LOCAL_CLASS
    ? pending(context, claim)
    : provision(context, dir, claim);
}

function fitting({ objects }: ControllerContext, claim: PersistentVolumeClaim): PersistentVolume | undefined {
  const wanted = parseQuantity(claim.spec.resources?.requests?.['storage']) ?? 0;
  const isFor = (volume: PersistentVolume) =>
    volume.spec.claimRef === undefined
      ? (volume.spec.storageClassName ?? '') === (claim.spec.storageClassName ?? LOCAL_CLASS)
      : volume.spec.claimRef.namespace === claim.metadata.namespace &&
        volume.spec.claimRef.name === claim.metadata.name;
  return objects
    .list('persistentvolumes')
    .filter(
      (volume) => isFor(volume) && volume.status?.phase !== 'Bound' && volume.status?.phase !== 'Released',
    )
    .filter((volume) => (parseQuantity(volume.spec.capacity?.['storage']) ?? 0) >= wanted)
    .find((volume) =>
      (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)),
    );
}

function pending({ objects }: ControllerContext, { metadata }: PersistentVolumeClaim): void {
  objects.modify('persistentvolumeclaims', metadata.namespace, metadata.name, (claim) => {
    claim.status = { ...claim.status, phase: 'Pending' };
  });
}

async function provision(
  context: ControllerContext,
  dir: string,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const { objects, events } = context;
  const { namespace, name, uid } = claim.metadata;
  const volumeName = `pvc-${uid}`;
  const folder = path.join(dir, volumeName);
  await mkdir(folder, { recursive: true, mode: 0o777 });
  const storage = String(claim.spec.resources?.requests?.['storage'] ?? '1Gi');
  const volume =
    objects.get('persistentvolumes', undefined, volumeName) ??
    objects.create('persistentvolumes', {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName, annotations: { [PROVISIONED_BY]: PROVISIONER } },
      spec: {
        accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
        capacity: { storage },
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          ...(namespace === undefined ? {} : { namespace }),
          name,
          uid,
        },
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: LOCAL_CLASS,
        volumeMode: 'Filesystem',
        local: { path: folder },
      },
      status: { phase: 'Available' },
    });
  const message = `Successfully provisioned volume ${volumeName}`;
  events.as('persistentvolume-controller').normal(claim, 'ProvisioningSucceeded', message);
  tie(context, claim, volume);
}

function tie({ objects }: ControllerContext, claim: PersistentVolumeClaim, volume: PersistentVolume): void {
  const { namespace, name, uid } = claim.metadata;
  objects.modify('persistentvolumes', undefined, volume.metadata.name, (stored) => {
    const place = namespace === undefined ? {} : { namespace };
    stored.spec.claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...place, name, uid };
    stored.status = { phase: 'Bound' };
  });
  objects.modify('persistentvolumeclaims', namespace, name, (stored) => {
    stored.spec.volumeName = volume.metadata.name;
    stored.spec.storageClassName ??= volume.spec.storageClassName ?? '';
    stored.metadata.finalizers = [...new Set([...(stored.metadata.finalizers ?? []), FINALIZER])];
    stored.status = {
      ...stored.status,
      phase: 'Bound',
      accessModes: volume.spec.accessModes ?? [],
      capacity: volume.spec.capacity ?? {},
    };
  });
}

/** A deleted claim goes when the last pod that uses it has gone. */
function letGo({ objects, deletion }: ControllerContext, { metadata }: PersistentVolumeClaim): void {
  const { namespace, name } = metadata;
  const used = objects
    .list('pods', namespace)
    .some((pod) => pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name));
  if (used) return;
  objects.modify('persistentvolumeclaims', namespace, name, (claim) => {
    claim.metadata.finalizers = (claim.metadata.finalizers ?? []).filter((one) => one !== FINALIZER);
  });
  deletion.finish('persistentvolumeclaims', namespace, name);
  const volume = objects.list('persistentvolumes').find(({ spec }) => spec.claimRef?.uid === metadata.uid);
  if (volume) release(objects, volume.metadata.name);
}

function release(objects: ControllerContext['objects'], name: string): void {
  objects.modify('persistentvolumes', undefined, name, (stored) => {
    stored.status = { phase: 'Released' };
  });
}

/** A volume whose claim is gone: its folder goes with it when its policy says so. */
async function reclaim(context: ControllerContext, name: string): Promise<void> {
  const { objects, events } = context;
  const volume = objects.get('persistentvolumes', undefined, name);
  if (!volume) return;
  const { claimRef, local, persistentVolumeReclaimPolicy } = volume.spec;
  if (!claimRef) return markAvailable(objects, volume);
  const claim = objects.get('persistentvolumeclaims', claimRef.namespace, claimRef.name ?? '');
  if (claim?.metadata.uid === claimRef.uid || claimRef.uid === undefined) return;
  const provisioned = volume.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER;
  if (persistentVolumeReclaimPolicy !== 'Delete' || !provisioned || !local) return release(objects, name);
  await rm(local.path, { recursive: true, force: true });
  if (objects.get('persistentvolumes', undefined, name)) {
    objects.store.remove('persistentvolumes', undefined, name);
  }
  events.as('persistentvolume-controller').normal(volume, 'VolumeDeleted', `Deleted volume ${name}`);
}

function markAvailable(objects: ControllerContext['objects'], { metadata, status }: PersistentVolume): void {
  if (status?.phase === 'Available') return;
  objects.modify('persistentvolumes', undefined, metadata.name, (stored) => {
    stored.status = { phase: 'Available' };
  });
}
