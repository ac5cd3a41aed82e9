import type { IntOrString, LabelSelector, ObjectReference, Typed } from './meta.ts';

export type ServicePort = {
  name?: string;
  port: number;
  protocol?: string;
  targetPort?: IntOrString;
  nodePort?: number;
  appProtocol?: string;
};

export type ServiceSpec = {
  type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  clusterIP?: string;
  clusterIPs?: string[];
  selector?: Record<string, string>;
  ports?: ServicePort[];
  externalName?: string;
  externalIPs?: string[];
  loadBalancerClass?: string;
  publishNotReadyAddresses?: boolean;
  sessionAffinity?: string;
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
};

export type LoadBalancerStatus = {
  loadBalancer?: {
    ingress?: { ip?: string; hostname?: string; ports?: { port: number; protocol: string }[] }[];
  };
};

export type Service = Typed<ServiceSpec, LoadBalancerStatus>;

export type SlicePort = { name?: string; port: number; protocol?: string; appProtocol?: string };

export type SliceEndpoint = {
  addresses: string[];
  conditions: { ready: boolean; serving: boolean; terminating: boolean };
  hostname?: string;
  nodeName?: string;
  targetRef?: ObjectReference;
};

export type EndpointSlice = Omit<Typed<undefined, undefined>, 'spec' | 'status'> & {
  addressType: string;
  endpoints: SliceEndpoint[];
  ports: SlicePort[];
};

export type EndpointAddress = {
  ip: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: ObjectReference;
};

export type EndpointSubset = {
  addresses?: EndpointAddress[];
  notReadyAddresses?: EndpointAddress[];
  ports?: SlicePort[];
};

export type Endpoints = Omit<Typed<undefined, undefined>, 'spec' | 'status'> & { subsets?: EndpointSubset[] };

export type IngressBackend = { service?: { name: string; port?: { name?: string; number?: number } } };

export type IngressPath = {
  path?: string;
  pathType?: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  backend: IngressBackend;
};

export type IngressSpec = {
  ingressClassName?: string;
  defaultBackend?: IngressBackend;
  tls?: { hosts?: string[]; secretName?: string }[];
  rules?: { host?: string; http?: { paths: IngressPath[] } }[];
};

export type Ingress = Typed<IngressSpec, LoadBalancerStatus>;

export type NetworkPolicyPort = { protocol?: string; port?: IntOrString; endPort?: number };

export type NetworkPolicyPeer = {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
};

/** `from` in `ingress`, `to` in `egress`. */
export type NetworkPolicyRule = {
  from?: NetworkPolicyPeer[];
  to?: NetworkPolicyPeer[];
  ports?: NetworkPolicyPort[];
};

export type NetworkPolicy = Typed<
  {
    podSelector?: LabelSelector;
    policyTypes?: string[];
    ingress?: NetworkPolicyRule[];
    egress?: NetworkPolicyRule[];
  },
  undefined
>;

export type IngressClass = Typed<{ controller?: string }, undefined>;
