import type { IntOrString, Typed } from './meta.ts';
import type { Toleration } from './pod.ts';

export type ScopeRequirement = { scopeName: string; operator: string; values?: string[] };

export type ResourceQuotaSpec = {
  hard?: Record<string, IntOrString>;
  scopes?: string[];
  scopeSelector?: { matchExpressions?: ScopeRequirement[] };
};

export type ResourceQuotaStatus = { hard?: Record<string, IntOrString>; used?: Record<string, string> };

export type ResourceQuota = Typed<ResourceQuotaSpec, ResourceQuotaStatus>;

export type LimitItem = {
  type: string;
  min?: Record<string, IntOrString>;
  max?: Record<string, IntOrString>;
  default?: Record<string, IntOrString>;
  defaultRequest?: Record<string, IntOrString>;
  maxLimitRequestRatio?: Record<string, IntOrString>;
};

export type LimitRange = Typed<{ limits: LimitItem[] }, undefined>;

export type PriorityClass = Omit<Typed<undefined, undefined>, 'spec' | 'status'> & {
  value: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: string;
};

export type RuntimeClass = Omit<Typed<undefined, undefined>, 'spec' | 'status'> & {
  handler: string;
  overhead?: { podFixed?: Record<string, IntOrString> };
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] };
};
