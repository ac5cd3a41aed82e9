import { randomInt } from 'node:crypto';
import type { KubeObject, ResourceStore } from '../store/types.ts';
import { numberAt, recordsAt, textAt } from './admission/members.ts';
import type { Members } from './admission/members.ts';
import { Problems } from './admission/problems.ts';
import { ClusterFault } from '../fault.ts';
import { invalid } from './status.ts';

const SERVICES = { group: '', plural: 'services', kind: 'Service' };
const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;
/** The first address is the API server's own, `kubernetes.default`. */
const RESERVED = 2;

/**
 * Gives a Service the address and node ports it lacks. What is asked for is checked; what a former version of the same
 * Service has it keeps. Changes the object it is given.
 * @throws ApiFault 422 for an address or port that is taken or out of range
 */
export function allocateService(
  service: KubeObject,
  before: KubeObject | undefined,
  place: { readonly store: ResourceStore; readonly serviceCidr: string },
): void {
  const spec = service.spec ?? {};
  const others = place.store
    .list('services')
    .filter(
      (other) =>
        other.metadata.name !== service.metadata.name ||
        other.metadata.namespace !== service.metadata.namespace,
    );
  const problems = new Problems();
  if (spec['type'] === 'ExternalName') {
    delete spec['clusterIP'];
    delete spec['clusterIPs'];
  } else {
    assignAddress(spec, { before, others, problems, cidr: place.serviceCidr });
  }
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer')
    assignPorts(spec, { before, others, problems });
  else if (before?.spec?.['type'] !== 'ClusterIP') {
    for (const port of recordsAt(spec, 'ports')) delete port['nodePort'];
  }
  if (problems.list.length > 0) throw invalid(SERVICES, service.metadata.name, problems.list);
}

interface Assignment {
  readonly before: KubeObject | undefined;
  readonly others: readonly KubeObject[];
  readonly problems: Problems;
}

function assignAddress(spec: Members, assignment: Assignment & { readonly cidr: string }): void {
  const former = textAt(assignment.before?.spec, 'clusterIP');
  const asked = textAt(spec, 'clusterIP') || firstText(spec['clusterIPs']) || former;
  const taken = new Set(assignment.others.map((other) => textAt(other.spec, 'clusterIP')));
  const range = parseCidr(assignment.cidr);
  if (!asked) {
    spec['clusterIP'] = freeAddress(range, taken);
  } else {
    spec['clusterIP'] = asked;
    if (asked !== 'None' && asked !== former) checkAddress(asked, { ...assignment, taken, range });
  }
  spec['clusterIPs'] = [spec['clusterIP']];
}

function firstText(list: unknown): string | undefined {
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return typeof first === 'string' ? first : undefined;
}

interface Range {
  readonly first: number;
  readonly size: number;
}

function parseCidr(cidr: string): Range {
  const [address = '', bits = '24'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const base = toNumber(address) ?? 0;
  return { first: base - (base % size), size };
}

function toNumber(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

function freeAddress(range: Range, taken: ReadonlySet<string | undefined>): string {
  for (let offset = RESERVED; offset < range.size - 1; offset += 1) {
    const address = toText(range.first + offset);
    if (!taken.has(address)) return address;
  }
  throw new ClusterFault('NO_ADDRESS_LEFT', 'the range of Service addresses is used up', {
    next: 'Delete Services that are no longer needed.',
  });
}

function checkAddress(
  asked: string,
  place: Assignment & { readonly taken: ReadonlySet<string | undefined>; readonly range: Range },
): void {
  const number = toNumber(asked);
  const { range, problems } = place;
  if (number === undefined) {
    problems.invalid(
      'spec.clusterIPs[0]',
      asked,
      'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    );
  } else if (number < range.first || number >= range.first + range.size) {
    problems.invalid(
      'spec.clusterIPs',
      [asked],
      `failed to allocate IP ${asked}: the provided IP (${asked}) is not in the valid range`,
    );
  } else if (place.taken.has(asked)) {
    problems.invalid(
      'spec.clusterIPs',
      [asked],
      `failed to allocate IP ${asked}: provided IP is already allocated`,
    );
  }
}

function assignPorts(spec: Members, assignment: Assignment): void {
  const taken = new Set(assignment.others.flatMap((other) => recordsAt(other.spec, 'ports')).map(portKey));
  const former = recordsAt(assignment.before?.spec, 'ports');
  for (const [index, port] of recordsAt(spec, 'ports').entries()) {
    const kept = former.find(
      (other) => other['port'] === port['port'] && other['protocol'] === port['protocol'],
    );
    const asked = numberAt(port, 'nodePort') || numberAt(kept, 'nodePort');
    port['nodePort'] = asked ?? freePort(taken, port);
    const key = portKey(port);
    const field = `spec.ports[${index}].nodePort`;
    if (asked !== undefined && (asked < FIRST_NODE_PORT || asked > LAST_NODE_PORT)) {
      const why = `provided port is not in the valid range. The range of valid ports is ${FIRST_NODE_PORT}-${LAST_NODE_PORT}`;
      assignment.problems.invalid(field, asked, why);
    } else if (taken.has(key)) {
      assignment.problems.invalid(field, asked, 'provided port is already allocated');
    }
    taken.add(key);
  }
}

function portKey(port: Members): string {
  return `${numberAt(port, 'nodePort') ?? 0}/${textAt(port, 'protocol') ?? 'TCP'}`;
}

function freePort(taken: ReadonlySet<string>, port: Members): number {
  const protocol = textAt(port, 'protocol') ?? 'TCP';
  // By chance, as Kubernetes does: clusters on one machine share its loopback.
  const count = LAST_NODE_PORT - FIRST_NODE_PORT + 1;
  const start = randomInt(count);
  for (let step = 0; step < count; step += 1) {
    const number = FIRST_NODE_PORT + ((start + step) % count);
    if (!taken.has(`${number}/${protocol}`)) return number;
  }
  throw new ClusterFault('NO_ADDRESS_LEFT', 'no node port is left');
}
