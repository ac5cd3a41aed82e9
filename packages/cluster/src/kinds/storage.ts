import type { Condition, LabelSelector, ObjectReference, Typed } from './meta.ts';
import type { ResourceRequirements } from './pod.ts';

export type PersistentVolumeClaimSpec = {
  accessModes?: string[];
  resources?: ResourceRequirements;
  storageClassName?: string;
  volumeName?: string;
  volumeMode?: string;
  selector?: LabelSelector;
};

export type PersistentVolumeClaimStatus = {
  phase?: 'Pending' | 'Bound' | 'Lost';
  accessModes?: string[];
  capacity?: Record<string, string>;
  conditions?: Condition[];
};

export type PersistentVolumeClaim = Typed<PersistentVolumeClaimSpec, PersistentVolumeClaimStatus>;

export type PersistentVolumeSpec = {
  accessModes?: string[];
  capacity?: Record<string, string>;
  claimRef?: ObjectReference;
  persistentVolumeReclaimPolicy?: 'Delete' | 'Retain' | 'Recycle';
  storageClassName?: string;
  volumeMode?: string;
  local?: { path: string };
  hostPath?: { path: string };
};

export type PersistentVolumeStatus = { phase?: 'Pending' | 'Available' | 'Bound' | 'Released' | 'Failed' };

export type PersistentVolume = Typed<PersistentVolumeSpec, PersistentVolumeStatus>;

export type StorageClass = Omit<Typed<undefined, undefined>, 'spec' | 'status'> & {
  provisioner: string;
  reclaimPolicy?: string;
  volumeBindingMode?: string;
  allowVolumeExpansion?: boolean;
};
