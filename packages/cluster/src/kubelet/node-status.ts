import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { timestamp } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { withCondition } from '../controllers/conditions.ts';
import type { Objects } from '../kinds/objects.ts';
import type { Condition } from '../kinds/meta.ts';

export interface NodeOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly name: string;
  readonly address: string;
  readonly podCidr: string;
  /** Of the product. */
  readonly version: string;
  readonly runtime: string;
}

const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const HEARTBEAT_MS = 300_000;
/** The scheduler holds to it; more than Kubernetes' usual 110, as one machine is all there is. */
const MAX_PODS = 500;
const LEASES = 'kube-node-lease';

/** A node name that is a valid host name, whatever the machine is called. */
export function nodeNameOf(): string {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');
  return name.slice(0, 63) || 'node';
}

/** Writes the Node and keeps its lease and its heartbeat alive until the result is called. */
export function keepNode(options: NodeOptions): () => void {
  writeNode(options);
  let lastHeartbeatMs = options.clock.now();
  let cancel: () => void;
  const beat = () => {
    renewLease(options);
    if (options.clock.now() - lastHeartbeatMs >= HEARTBEAT_MS || hasMore(options)) {
      lastHeartbeatMs = options.clock.now();
      writeNode(options);
    }
    cancel = options.clock.timer(RENEW_MS, beat);
  };
  beat();
  return () => cancel();
}

/** Somebody has said that the node has more than it offers. */
function hasMore({ objects, name }: NodeOptions): boolean {
  const { capacity: all, allocatable } = objects.get('nodes', undefined, name)?.status ?? {};
  return !isDeepStrictEqual(extendedIn(all), extendedIn(allocatable));
}

function writeNode(options: NodeOptions): void {
  const { objects, name } = options;
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture(),
    'node-role.kubernetes.io/control-plane': '',
  };
  if (!objects.get('nodes', undefined, name)) {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
      spec: { podCIDR: options.podCidr },
    };
    objects.create('nodes', node);
  }
  const now = timestamp(options.clock.now());
  objects.modify('nodes', undefined, name, (node) => {
    node.metadata.labels = { ...node.metadata.labels, ...labels };
    node.spec = { ...node.spec, podCIDR: options.podCidr };
    const conditions = conditionsAt(node.status?.conditions, options.clock.now());
    node.status = {
      ...node.status,
      capacity: { ...extendedIn(node.status?.capacity), ...capacity() },
      // All of it can be had, as Kubernetes has it, too.
      allocatable: { ...extendedIn(node.status?.capacity), ...capacity() },
      addresses: [
        { type: 'InternalIP', address: options.address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: nodeInfo(options),
      conditions: conditions.map((condition) => ({ ...condition, lastHeartbeatTime: now })),
    };
  });
}

const architecture = () => (arch() === 'x64' ? 'amd64' : arch());

/** What others say that the node has, such as devices: their names have a domain. */
function extendedIn(amounts: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => name.includes('/')));
}

/** What the node has, all of which pods may use. */
export function capacity(): Record<string, string> {
  return { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: String(MAX_PODS) };
}

function nodeInfo({ name, version, runtime }: NodeOptions): Record<string, string> {
  return {
    machineID: name,
    systemUUID: '',
    bootID: '',
    kernelVersion: release(),
    osImage: 'Linux',
    containerRuntimeVersion: `${runtime}://updraft-${version}`,
    kubeletVersion: `v1.35.0+updraft-${version}`,
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: architecture(),
  };
}

function conditionsAt(before: Condition[] | undefined, nowMs: number): Condition[] {
  const facts = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
  ] as const;
  let conditions = before ?? [];
  for (const [type, status, reason, message] of facts) {
    conditions = withCondition(conditions, { type, status, reason, message }, nowMs);
  }
  return conditions.map(({ lastUpdateTime: _unused, ...condition }) => condition);
}

function renewLease({ objects, clock, name }: NodeOptions): void {
  const renewTime = new Date(clock.now()).toISOString().replace('Z', '000Z');
  const known = objects.modify('leases.coordination.k8s.io', LEASES, name, (lease) => {
    lease.spec = { ...lease.spec, holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
  });
  if (known) return;
  objects.create('leases.coordination.k8s.io', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: LEASES },
    spec: { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
  });
}
