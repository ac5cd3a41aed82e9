import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from '@updraft/kit';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../kinds/storage.ts';
import { parseQuantity } from '../kinds/quantity.ts';
import { selectsOrAll } from '../kinds/selectors.ts';
import { SELECTED_NODE } from '../scheduler/claims.ts';
import { keyOf, splitKey } from './controller.ts';
import type { Controller, ControllerContext } from './controller.ts';

export const LOCAL_CLASS = 'local';
const PROVISIONER = 'updraft.dev/local';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

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
    allowVolumeExpansion: true,
  });
}

/**
 * Binds claims: to a volume somebody made that fits, else to a new folder under `dir`. A claim that is deleted stays until no
 * pod uses it; then its volume follows its reclaim policy. Sizes are written down, not enforced.
 */
export function volumeController(context: ControllerContext, dir: string): Controller {
  return {
    name: 'volumes',
    resources: ['persistentvolumeclaims', 'persistentvolumes', 'pods', 'storageclasses.storage.k8s.io'],
    keys: ({ resource, object, type }) => {
      if (resource === 'persistentvolumeclaims') return [keyOf(object)];
      if (resource === 'storageclasses.storage.k8s.io') return waitingClaims(context);
      // A new volume may be what a claim waits for; one that has gone may be what a claim was bound to.
      if (resource === 'persistentvolumes') {
        const own = `/${object.metadata.name}`;
        return type === 'MODIFIED' ? [own] : [own, ...waitingClaims(context, object.metadata.name)];
      }
      return type === 'DELETED' ? claimsOf(context, object.metadata.namespace) : [];
    },
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      return namespace === '' ? reclaim(context, dir, name) : bind(context, dir, { namespace, name });
    },
  };
}

/** Claims that are not bound, and those of the volume. */
function waitingClaims({ objects }: ControllerContext, volumeName?: string): string[] {
  return objects
    .list('persistentvolumeclaims')
    .filter(({ status, spec }) => status?.phase !== 'Bound' || spec.volumeName === volumeName)
    .map(keyOf);
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
  protect(context, claim);
  if (claim.status?.phase === 'Bound') return keepUp(context, claim);
  const name = claim.spec.volumeName;
  const volume = name ? context.objects.get('persistentvolumes', undefined, name) : fitting(context, claim);
  if (volume && isFree(volume, claim)) return tie(context, claim, volume);
  // A claim that names a volume waits for that one.
  return name ? pending(context, claim) : provideFor(context, dir, claim);
}

/** From the moment it is there a claim outlives its pods. */
function protect({ objects }: ControllerContext, { metadata }: PersistentVolumeClaim): void {
  if (metadata.finalizers?.includes(FINALIZER)) return;
  objects.modify('persistentvolumeclaims', metadata.namespace, metadata.name, (claim) => {
    claim.metadata.finalizers = [...new Set([...(claim.metadata.finalizers ?? []), FINALIZER])];
  });
}

const classOf = ({ objects }: ControllerContext, claim: PersistentVolumeClaim) =>
  objects.get('storageclasses.storage.k8s.io', undefined, claim.spec.storageClassName ?? LOCAL_CLASS);

/** Makes a volume by the claim's class; says what it waits for when it cannot. */
function provideFor(
  context: ControllerContext,
  dir: string,
  claim: PersistentVolumeClaim,
): void | Promise<void> {
  const events = context.events.as('persistentvolume-controller');
  const storageClass = classOf(context, claim);
  pending(context, claim);
  if (!claim.spec.storageClassName && claim.spec.storageClassName !== undefined) {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return events.normal(claim, 'FailedBinding', message);
  }
  if (!storageClass) {
    const message = `storageclass.storage.k8s.io "${claim.spec.storageClassName ?? ''}" not found`;
    return events.warning(claim, 'ProvisioningFailed', message);
  }
  const chosen = claim.metadata.annotations?.[SELECTED_NODE] !== undefined;
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer' && !chosen) {
    const message = 'waiting for first consumer to be created before binding';
    return events.normal(claim, 'WaitForFirstConsumer', message);
  }
  if (storageClass.provisioner === PROVISIONER) return provision(context, dir, claim, storageClass);
  const message = `Waiting for a volume to be created either by the external provisioner '${storageClass.provisioner}' or manually by the system administrator.`;
  return events.normal(claim, 'ExternalProvisioning', message);
}

/** A bound claim whose volume has vanished is lost; one that asks for more gets it, as sizes are only written down. */
function keepUp({ objects }: ControllerContext, claim: PersistentVolumeClaim): void {
  const { namespace, name } = claim.metadata;
  const volume = objects.get('persistentvolumes', undefined, claim.spec.volumeName ?? '');
  if (!volume) {
    objects.modify('persistentvolumeclaims', namespace, name, (stored) => {
      stored.status = { ...stored.status, phase: 'Lost' };
    });
    return;
  }
  const storage = claim.spec.resources?.requests?.['storage'];
  if ((parseQuantity(storage) ?? 0) <= (parseQuantity(volume.spec.capacity?.['storage']) ?? 0)) return;
  const capacity = { ...volume.spec.capacity, storage: String(storage) };
  objects.modify('persistentvolumes', undefined, volume.metadata.name, (stored) => {
    stored.spec.capacity = capacity;
  });
  objects.modify('persistentvolumeclaims', namespace, name, (stored) => {
    stored.status = { ...stored.status, capacity };
  });
}

/** Not another claim's, nor what another claim has left. */
function isFree({ spec, status, metadata }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { claimRef } = spec;
  if (metadata.deletionTimestamp !== undefined || status?.phase === 'Released') return false;
  if (!claimRef) return true;
  const isFor = claimRef.namespace === claim.metadata.namespace && claimRef.name === claim.metadata.name;
  return isFor && (claimRef.uid === undefined || claimRef.uid === claim.metadata.uid);
}

/** The smallest free volume that has what the claim asks for; one that was made for this very claim before all others. */
function fitting({ objects }: ControllerContext, claim: PersistentVolumeClaim): PersistentVolume | undefined {
  const { accessModes = [], selector, resources, storageClassName = LOCAL_CLASS, volumeMode } = claim.spec;
  const sizeOf = ({ spec }: PersistentVolume) => parseQuantity(spec.capacity?.['storage']) ?? 0;
  const wanted = parseQuantity(resources?.requests?.['storage']) ?? 0;
  const candidates = objects
    .list('persistentvolumes')
    .filter((volume) => isFree(volume, claim) && sizeOf(volume) >= wanted)
    .filter(({ spec }) => accessModes.every((mode) => spec.accessModes?.includes(mode)))
    .filter(({ spec }) => (spec.volumeMode ?? 'Filesystem') === (volumeMode ?? 'Filesystem'))
    .toSorted((a, b) => sizeOf(a) - sizeOf(b));
  return (
    candidates.find(({ spec }) => spec.claimRef !== undefined) ??
    candidates.find(
      ({ spec, metadata }) =>
        (spec.storageClassName ?? '') === storageClassName &&
        (!selector || selectsOrAll(selector, metadata.labels)),
    )
  );
}

function pending({ objects }: ControllerContext, { metadata }: PersistentVolumeClaim): void {
  objects.modify('persistentvolumeclaims', metadata.namespace, metadata.name, (claim) => {
    // Lost is for good, unless the volume itself comes back.
    if (claim.status?.phase !== 'Lost') claim.status = { ...claim.status, phase: 'Pending' };
  });
}

async function provision(
  context: ControllerContext,
  dir: string,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
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
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete',
        storageClassName: storageClass.metadata.name,
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
async function reclaim(context: ControllerContext, dir: string, name: string): Promise<void> {
  const { objects } = context;
  const volume = objects.get('persistentvolumes', undefined, name);
  if (!volume) return;
  protectVolume(context, volume);
  // Nobody takes away what a claim is bound to.
  if (isHeld(objects, volume)) return;
  const { claimRef } = volume.spec;
  const wasBound = claimRef?.uid !== undefined;
  const folder = path.join(dir, name);
  if (wasBound && isDeletedWith(volume, folder)) await removeVolume(context, volume, folder);
  else if (volume.metadata.deletionTimestamp !== undefined) letVolumeGo(context, volume);
  else if (wasBound) release(objects, name);
  else if (!claimRef) markAvailable(objects, volume);
}

function isHeld(objects: ControllerContext['objects'], { spec: { claimRef } }: PersistentVolume): boolean {
  if (!claimRef) return false;
  const claim = objects.get('persistentvolumeclaims', claimRef.namespace, claimRef.name ?? '');
  return claim !== undefined && claim.metadata.uid === claimRef.uid;
}

/** From the moment it is there a volume outlives the claim that is bound to it. */
function protectVolume({ objects }: ControllerContext, { metadata }: PersistentVolume): void {
  if (metadata.deletionTimestamp !== undefined || metadata.finalizers?.includes(VOLUME_FINALIZER)) return;
  objects.modify('persistentvolumes', undefined, metadata.name, (stored) => {
    stored.metadata.finalizers = [...new Set([...(stored.metadata.finalizers ?? []), VOLUME_FINALIZER])];
  });
}

async function removeVolume(
  context: ControllerContext,
  volume: PersistentVolume,
  folder: string,
): Promise<void> {
  const { name, uid } = volume.metadata;
  await removeTree(folder);
  const message = `Deleted volume ${name}`;
  context.events.as('persistentvolume-controller').normal(volume, 'VolumeDeleted', message);
  context.deletion.delete('persistentvolumes', undefined, name, { uid });
  letVolumeGo(context, volume);
}

function letVolumeGo({ objects, deletion }: ControllerContext, { metadata }: PersistentVolume): void {
  objects.modify('persistentvolumes', undefined, metadata.name, (stored) => {
    stored.metadata.finalizers = (stored.metadata.finalizers ?? []).filter((one) => one !== VOLUME_FINALIZER);
  });
  deletion.finish('persistentvolumes', undefined, metadata.name);
}

/** Anybody may write the annotation, and a path: only the folder that was made for a volume is deleted with it. */
function isDeletedWith({ spec, metadata }: PersistentVolume, folder: string): boolean {
  const provisioner = metadata.annotations?.[PROVISIONED_BY];
  const isOwn = provisioner === PROVISIONER && spec.local?.path === folder;
  return isOwn && spec.persistentVolumeReclaimPolicy === 'Delete';
}

function markAvailable(objects: ControllerContext['objects'], { metadata, status }: PersistentVolume): void {
  if (status?.phase === 'Available') return;
  objects.modify('persistentvolumes', undefined, metadata.name, (stored) => {
    stored.status = { phase: 'Available' };
  });
}
