import type { Condition, IntOrString, Typed } from './meta.ts';

export type MetricTarget = {
  type: 'Utilization' | 'AverageValue' | 'Value';
  averageUtilization?: number;
  averageValue?: IntOrString;
};

export type MetricSpec = {
  type: string;
  resource?: { name: string; target: MetricTarget };
  containerResource?: { name: string; container: string; target: MetricTarget };
};

export type ScalingPolicy = { type: 'Pods' | 'Percent'; value: number; periodSeconds: number };
export type ScalingRules = {
  stabilizationWindowSeconds?: number;
  selectPolicy?: 'Max' | 'Min' | 'Disabled';
  policies?: ScalingPolicy[];
  tolerance?: IntOrString;
};

export type AutoscalerSpec = {
  scaleTargetRef: { apiVersion?: string; kind: string; name: string };
  minReplicas?: number;
  maxReplicas: number;
  metrics?: MetricSpec[];
  behavior?: { scaleUp?: ScalingRules; scaleDown?: ScalingRules };
};

export type MetricStatus = {
  type: string;
  resource?: { name: string; current: { averageUtilization?: number; averageValue: string } };
  containerResource?: {
    name: string;
    container: string;
    current: { averageUtilization?: number; averageValue: string };
  };
};

export type AutoscalerStatus = {
  currentReplicas?: number;
  desiredReplicas: number;
  lastScaleTime?: string;
  observedGeneration?: number;
  currentMetrics?: MetricStatus[] | null;
  conditions?: Condition[];
};

export type HorizontalPodAutoscaler = Typed<AutoscalerSpec, AutoscalerStatus>;
