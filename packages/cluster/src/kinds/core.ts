import type { Condition, ObjectReference, Typed } from './meta.ts';

type Plain = Omit<Typed<undefined, undefined>, 'spec' | 'status'>;

export type ConfigMap = Plain & {
  data?: Record<string, string>;
  /** Base64. */
  binaryData?: Record<string, string>;
};

export type Secret = Plain & {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
};

export type ServiceAccount = Plain & {
  imagePullSecrets?: { name?: string }[];
  automountServiceAccountToken?: boolean;
};

export type Namespace = Typed<
  { finalizers?: string[] } | undefined,
  { phase?: 'Active' | 'Terminating'; conditions?: Condition[] }
>;

export type Node = Typed<
  { unschedulable?: boolean; podCIDR?: string; taints?: { key: string; value?: string; effect: string }[] },
  {
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    conditions?: Condition[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
    images?: { names: string[]; sizeBytes: number }[];
  }
>;

export type Lease = Typed<
  { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string; acquireTime?: string },
  undefined
>;

export type KubeEvent = Plain & {
  involvedObject: ObjectReference;
  type: string;
  reason: string;
  message: string;
  count: number;
  firstTimestamp: string;
  lastTimestamp: string;
  source: { component: string; host?: string };
  reportingComponent: string;
  reportingInstance: string;
  action?: string;
  eventTime?: string | null;
};
