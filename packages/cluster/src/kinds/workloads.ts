import type { Condition, IntOrString, LabelSelector, Typed } from './meta.ts';
import type { PodTemplate } from './pod.ts';
import type { PersistentVolumeClaim } from './storage.ts';

export type RollingUpdate = { maxSurge?: IntOrString; maxUnavailable?: IntOrString };

export type DeploymentSpec = {
  replicas?: number;
  selector: LabelSelector;
  template: PodTemplate;
  strategy?: { type?: 'RollingUpdate' | 'Recreate'; rollingUpdate?: RollingUpdate };
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
  progressDeadlineSeconds?: number;
  paused?: boolean;
};

export type DeploymentStatus = {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  collisionCount?: number;
  conditions?: Condition[];
};

export type Deployment = Typed<DeploymentSpec, DeploymentStatus>;

export type ReplicaSetSpec = {
  replicas?: number;
  minReadySeconds?: number;
  selector: LabelSelector;
  template: PodTemplate;
};

export type ReplicaSetStatus = {
  replicas: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
  conditions?: Condition[];
};

export type ReplicaSet = Typed<ReplicaSetSpec, ReplicaSetStatus>;

export type StatefulSetSpec = {
  replicas?: number;
  serviceName?: string;
  selector: LabelSelector;
  template: PodTemplate;
  volumeClaimTemplates?: PersistentVolumeClaim[];
  podManagementPolicy?: 'OrderedReady' | 'Parallel';
  updateStrategy?: { type?: 'RollingUpdate' | 'OnDelete'; rollingUpdate?: { partition?: number } };
  revisionHistoryLimit?: number;
  minReadySeconds?: number;
  ordinals?: { start?: number };
};

export type StatefulSetStatus = {
  observedGeneration?: number;
  replicas: number;
  readyReplicas?: number;
  currentReplicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  currentRevision?: string;
  updateRevision?: string;
  collisionCount?: number;
  conditions?: Condition[];
};

export type StatefulSet = Typed<StatefulSetSpec, StatefulSetStatus>;

export type ControllerRevision = Typed<undefined, undefined> & {
  data?: { template: PodTemplate };
  revision: number;
};
