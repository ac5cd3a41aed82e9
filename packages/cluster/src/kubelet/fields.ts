import { parseQuantity } from '../kinds/quantity.ts';
import type { Container, FieldSelector, Pod, ResourceFieldSelector } from '../kinds/pod.ts';
import { capacity } from './node-status.ts';
import { configError } from './services.ts';

/** What the pod knows of its place. */
export interface Surroundings {
  readonly podAddress: string | undefined;
  readonly nodeName: string;
  readonly nodeAddress: string;
}

const KEYED = /^metadata\.(labels|annotations)\['(.+)'\]$/;

function asLines(map: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(map).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return lines.toSorted((a, b) => (a < b ? -1 : 1)).join('\n');
}

/** The value of a `fieldRef`. @throws NotYet for a path that does not exist. */
export function fieldValue(pod: Pod, { fieldPath }: FieldSelector, around: Surroundings): string {
  const keyed = KEYED.exec(fieldPath);
  if (keyed) {
    const map = pod.metadata[keyed[1] as 'labels' | 'annotations'];
    return map?.[keyed[2] ?? ''] ?? '';
  }
  const values: Readonly<Record<string, () => string>> = {
    'metadata.name': () => pod.metadata.name,
    'metadata.namespace': () => pod.metadata.namespace ?? '',
    'metadata.uid': () => pod.metadata.uid,
    'metadata.labels': () => asLines(pod.metadata.labels),
    'metadata.annotations': () => asLines(pod.metadata.annotations),
    'spec.nodeName': () => around.nodeName,
    'spec.serviceAccountName': () => pod.spec.serviceAccountName ?? 'default',
    'status.hostIP': () => around.nodeAddress,
    'status.hostIPs': () => around.nodeAddress,
    'status.podIP': () => around.podAddress ?? '',
    'status.podIPs': () => around.podAddress ?? '',
  };
  if (!Object.hasOwn(values, fieldPath)) throw configError(`unsupported fieldPath: ${fieldPath}`);
  return values[fieldPath]?.() ?? '';
}

/** The value of a `resourceFieldRef`: rounded up to whole divisors. Where no limit is set it is what the node has. */
export function resourceValue(pod: Pod, own: Container, reference: ResourceFieldSelector): string {
  const [list = '', name = ''] = reference.resource.split('.', 2);
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const { containerName } = reference;
  const container = containerName === undefined ? own : all.find((one) => one.name === containerName);
  if (!container || (list !== 'limits' && list !== 'requests')) {
    throw configError(`unsupported resourceFieldRef: ${reference.resource}`);
  }
  const amount = parseQuantity(amountIn(container, list, name)) ?? 0;
  const divisor = parseQuantity(reference.divisor) || 1;
  return String(Math.ceil(amount / divisor));
}

function amountIn({ resources }: Container, list: 'limits' | 'requests', name: string) {
  return resources?.[list]?.[name] ?? (list === 'limits' ? capacity()[name] : undefined);
}
