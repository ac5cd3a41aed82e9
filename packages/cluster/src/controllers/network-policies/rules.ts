import type { TrafficPeer, TrafficPorts, TrafficRule, TrafficRules } from '@updraft/pods';
import type { LabelSelector } from '../../kinds/meta.ts';
import type {
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicyRule,
} from '../../kinds/network.ts';
import type { Container } from '../../kinds/pod.ts';
import { selectsOrAll } from '../../kinds/selectors.ts';
import { isIpv4Range } from './ranges.ts';

type Labels = Readonly<Record<string, string>>;

/** A pod that has an address. */
export interface AddressedPod {
  readonly namespace: string;
  readonly labels: Labels;
  readonly address: string;
  readonly containers: readonly Pick<Container, 'ports'>[];
}

export interface PolicyInput {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly AddressedPod[];
  /** Name -> labels. */
  readonly namespaces: ReadonlyMap<string, Labels>;
}

type Direction = 'incoming' | 'outgoing';
const TYPES = { incoming: 'Ingress', outgoing: 'Egress' } as const;

/** What the policies allow each pod that they select. Pods that none selects are left out: they are free. */
export function rulesOf(input: PolicyInput): TrafficRules {
  const lists: Record<string, readonly TrafficRule[]> = {};
  const listFor = (pod: AddressedPod, direction: Direction): string | undefined => {
    const selecting = input.policies.filter((policy) => concerns(policy, pod, direction));
    if (selecting.length === 0) return undefined;
    const name = listName(selecting, pod, direction);
    lists[name] ??= selecting.flatMap((policy) => policyRules(policy, { input, pod, direction }));
    return name;
  };
  const pods = input.pods.flatMap((pod) => {
    const incoming = listFor(pod, 'incoming');
    const outgoing = listFor(pod, 'outgoing');
    if (incoming === undefined && outgoing === undefined) return [];
    return [
      {
        address: pod.address,
        ...(incoming === undefined ? {} : { incoming }),
        ...(outgoing === undefined ? {} : { outgoing }),
      },
    ];
  });
  return { pods, lists };
}

function concerns({ metadata, spec }: NetworkPolicy, pod: AddressedPod, direction: Direction): boolean {
  const types = spec.policyTypes ?? (spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']);
  return (
    types.includes(TYPES[direction]) &&
    metadata.namespace === pod.namespace &&
    selectsOrAll(spec.podSelector ?? {}, pod.labels)
  );
}

/** Pods of the same policies share a list, unless a port's name means different numbers to them. */
function listName(policies: readonly NetworkPolicy[], pod: AddressedPod, direction: Direction): string {
  const names = policies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const rules = direction === 'incoming' ? policies.flatMap(({ spec }) => spec.ingress ?? []) : [];
  const named = rules.flatMap(({ ports }) => ports ?? []).filter(({ port }) => typeof port === 'string');
  const numbers = named.map((port) => numberOf(pod, port) ?? 'none');
  return JSON.stringify([direction, names, numbers]);
}

interface Place {
  readonly input: PolicyInput;
  readonly pod: AddressedPod;
  readonly direction: Direction;
}

function policyRules({ metadata, spec }: NetworkPolicy, place: Place): TrafficRule[] {
  const { direction, pod } = place;
  const rules = (direction === 'incoming' ? spec.ingress : spec.egress) ?? [];
  return rules.flatMap((rule) => {
    const peers = direction === 'incoming' ? rule.from : rule.to;
    const reached = peers?.length
      ? peers.map((peer) => peerOf(peer, metadata.namespace ?? '', place.input))
      : undefined;
    return direction === 'incoming' ? incomingRule(rule, reached, pod) : outgoingRules(rule, reached, place);
  });
}

/** Whom a peer stands for: pods, or addresses outside. */
type Reached = { readonly pods: readonly AddressedPod[] } | { readonly range: TrafficPeer };

function peerOf(
  { ipBlock, ...selectors }: NetworkPolicyPeer,
  namespace: string,
  input: PolicyInput,
): Reached {
  if (!ipBlock) return { pods: selected(selectors, namespace, input) };
  // Pods have no IPv6 addresses, so such a range is nobody's.
  if (!isIpv4Range(ipBlock.cidr)) return { pods: [] };
  const except = (ipBlock.except ?? []).filter(isIpv4Range);
  return { range: { range: ipBlock.cidr, ...(except.length > 0 ? { except } : {}) } };
}

function selected(
  { podSelector, namespaceSelector }: { podSelector?: LabelSelector; namespaceSelector?: LabelSelector },
  own: string,
  { pods, namespaces }: PolicyInput,
): AddressedPod[] {
  return pods.filter(({ namespace, labels }) => {
    const inNamespace = namespaceSelector
      ? selectsOrAll(namespaceSelector, namespaces.get(namespace) ?? {})
      : namespace === own;
    return inNamespace && selectsOrAll(podSelector ?? {}, labels);
  });
}

const trafficPeers = (reached: readonly Reached[]): TrafficPeer[] =>
  reached.map((one) => ('range' in one ? one.range : { addresses: one.pods.map(({ address }) => address) }));

function incomingRule(
  { ports }: NetworkPolicyRule,
  reached: readonly Reached[] | undefined,
  pod: AddressedPod,
): TrafficRule[] {
  const numbered = ports?.length
    ? ports.flatMap((port) => portsOf(port, numberOf(pod, port)) ?? [])
    : undefined;
  // Ports that the pod does not have allow nothing, not everything.
  if (numbered?.length === 0) return [];
  return [
    {
      ...(reached ? { peers: trafficPeers(reached) } : {}),
      ...(numbered ? { ports: numbered } : {}),
    },
  ];
}

function outgoingRules(
  { ports }: NetworkPolicyRule,
  reached: readonly Reached[] | undefined,
  { input }: Place,
): TrafficRule[] {
  const peers = reached ? { peers: trafficPeers(reached) } : {};
  if (!ports?.length) return [peers];
  const plain = ports.flatMap((port) =>
    typeof port.port === 'string' ? [] : (portsOf(port, port.port) ?? []),
  );
  const named = ports.filter(({ port }) => typeof port === 'string');
  const pods = reached?.flatMap((one) => ('pods' in one ? one.pods : [])) ?? input.pods;
  return [
    ...(plain.length > 0 ? [{ ...peers, ports: plain }] : []),
    ...named.flatMap((port) => namedRules(port, pods)),
  ];
}

/** A name means to each pod what the pod says it means. */
function namedRules(port: NetworkPolicyPort, pods: readonly AddressedPod[]): TrafficRule[] {
  const byNumber = new Map<number, string[]>();
  for (const pod of pods) {
    const number = numberOf(pod, port);
    if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), pod.address]);
  }
  return [...byNumber].flatMap(([number, addresses]) => {
    const ports = portsOf(port, number);
    return ports ? [{ peers: [{ addresses }], ports: [ports] }] : [];
  });
}

const PROTOCOLS = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;

function numberOf(pod: AddressedPod, { port, protocol = 'TCP' }: NetworkPolicyPort): number | undefined {
  if (typeof port !== 'string') return port;
  const found = pod.containers
    .flatMap(({ ports }) => ports ?? [])
    .find((one) => one.name === port && (one.protocol ?? 'TCP') === protocol);
  return found?.containerPort;
}

/** undefined: a name that means nothing. */
function portsOf(
  { port, endPort, protocol = 'TCP' }: NetworkPolicyPort,
  number: number | undefined,
): TrafficPorts | undefined {
  const kind = PROTOCOLS[protocol as keyof typeof PROTOCOLS];
  if (port === undefined) return { protocol: kind };
  if (number === undefined) return undefined;
  return { protocol: kind, from: number, ...(endPort === undefined ? {} : { to: endPort }) };
}
