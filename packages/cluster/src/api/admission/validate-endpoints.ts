import { isIPv4, isIPv6 } from 'node:net';
import { whyUnroutable } from '../../kinds/special-addresses.ts';
import type { KubeObject } from '../../store/types.ts';
import { numberAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import { isSubdomain } from './problems.ts';
import type { Problems } from './problems.ts';

import { validatePort } from './validate-pod.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;

export function validateEndpoints(endpoints: KubeObject, problems: Problems): void {
  for (const [index, subset] of recordsAt(endpoints, 'subsets').entries()) {
    const path = `subsets[${index}]`;
    const [ready, others] = [recordsAt(subset, 'addresses'), recordsAt(subset, 'notReadyAddresses')];
    if (ready.length + others.length === 0)
      problems.required(path, 'must specify `addresses` or `notReadyAddresses`');
    for (const [list, addresses] of [
      ['addresses', ready],
      ['notReadyAddresses', others],
    ] as const) {
      addresses.forEach((each, number) =>
        validateAddress(`${path}.${list}[${number}].ip`, textAt(each, 'ip') ?? '', problems),
      );
    }
    validatePorts(`${path}.ports`, recordsAt(subset, 'ports'), problems);
  }
}

export function validateEndpointSlice(slice: KubeObject, problems: Problems): void {
  const type = slice['addressType'];
  if (type === undefined || type === '') problems.required('addressType');
  else problems.oneOf('addressType', type, ['FQDN', 'IPv4', 'IPv6']);
  const endpoints = recordsAt(slice, 'endpoints');
  if (endpoints.length > MAX_ENDPOINTS) problems.tooMany('endpoints', endpoints.length, MAX_ENDPOINTS);
  for (const [index, { addresses }] of endpoints.slice(0, MAX_ENDPOINTS).entries()) {
    const path = `endpoints[${index}].addresses`;
    const list = Array.isArray(addresses) ? (addresses as unknown[]).map(String) : [];
    if (list.length === 0) problems.required(path, 'must contain at least 1 address');
    if (list.length > MAX_ADDRESSES) problems.tooMany(path, list.length, MAX_ADDRESSES);
    list.slice(0, MAX_ADDRESSES).forEach((address, number) => {
      validateTyped(`${path}[${number}]`, address, { type, problems });
    });
  }
  const ports = recordsAt(slice, 'ports');
  if (ports.length > MAX_PORTS) problems.tooMany('ports', ports.length, MAX_PORTS);
  validatePorts('ports', ports.slice(0, MAX_PORTS), problems);
}

function validateTyped(
  path: string,
  address: string,
  { type, problems }: { readonly type: unknown; readonly problems: Problems },
): void {
  if (type === 'FQDN') {
    const why = isSubdomain(address);
    if (why) problems.invalid(path, address, why);
    return;
  }
  validateAddress(path, address, problems);
  if (type === 'IPv4' && isIPv6(address)) problems.invalid(path, address, 'must be an IPv4 address');
  if (type === 'IPv6' && isIPv4(address)) problems.invalid(path, address, 'must be an IPv6 address');
}

function validateAddress(path: string, address: string, problems: Problems): void {
  const why = whyUnroutable(address);
  if (why) problems.invalid(path, address, why);
}

function validatePorts(path: string, ports: readonly Members[], problems: Problems): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `${path}[${index}]`;
    // Absent in a slice: all ports.
    if (port['port'] !== undefined) validatePort(`${at}.port`, numberAt(port, 'port'), problems);
    problems.oneOf(`${at}.protocol`, port['protocol'], PROTOCOLS);
    const name = textAt(port, 'name') ?? '';
    if (names.has(name)) problems.duplicate(`${at}.name`, name);
    names.add(name);
  }
}
