import { BlockList, isIP } from 'node:net';
import type { KubeObject } from '../../store/types.ts';
import { recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import { isLabel1035, isSubdomain } from './problems.ts';
import type { Problems } from './problems.ts';
import { validatePort } from './validate-pod.ts';

const SERVICE_TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export function validateService(service: KubeObject, problems: Problems): void {
  const spec = recordAt(service, 'spec');
  problems.oneOf('spec.type', spec['type'], SERVICE_TYPES);
  problems.oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None']);
  problems.oneOf('spec.internalTrafficPolicy', spec['internalTrafficPolicy'], ['Cluster', 'Local']);
  problems.oneOf('spec.trafficDistribution', spec['trafficDistribution'], [
    'PreferClose',
    'PreferSameNode',
    'PreferSameZone',
  ]);
  const ports = recordsAt(spec, 'ports');
  if (ports.length === 0 && spec['type'] !== 'ExternalName' && spec['clusterIP'] !== 'None') {
    problems.required('spec.ports');
  }
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    validatePort(`${at}.port`, port['port'] as number | undefined, problems);
    problems.oneOf(`${at}.protocol`, port['protocol'], ['SCTP', 'TCP', 'UDP']);
    const name = textAt(port, 'name') ?? '';
    if (ports.length > 1 && !name) problems.required(`${at}.name`);
    if (name && names.has(name)) problems.duplicate(`${at}.name`, name);
    names.add(name);
  }
  if (spec['type'] === 'ExternalName' && !spec['externalName']) problems.required('spec.externalName');
}

export function validateIngress(ingress: KubeObject, problems: Problems): void {
  const rules = recordsAt(ingress.spec, 'rules');
  if (rules.length === 0 && ingress.spec?.['defaultBackend'] === undefined) {
    problems.invalid('spec', ingress.spec ?? {}, 'either `defaultBackend` or `rules` must be specified');
  }
  for (const [index, rule] of rules.entries()) validateIngressRule(`spec.rules[${index}]`, rule, problems);
}

function validateIngressRule(path: string, rule: Members, problems: Problems): void {
  const host = textAt(rule, 'host') ?? '';
  const why = host === '' ? undefined : isSubdomain(host.startsWith('*.') ? host.slice(2) : host);
  if (why) problems.invalid(`${path}.host`, host, why);
  for (const [index, entry] of recordsAt(recordAt(rule, 'http'), 'paths').entries()) {
    validateIngressPath(`${path}.http.paths[${index}]`, entry, problems);
  }
}

function validateIngressPath(path: string, entry: Members, problems: Problems): void {
  const type = textAt(entry, 'pathType');
  if (!type) problems.required(`${path}.pathType`, 'pathType must be specified');
  else problems.oneOf(`${path}.pathType`, type, ['Exact', 'ImplementationSpecific', 'Prefix']);
  const route = textAt(entry, 'path') ?? '';
  if (type !== 'ImplementationSpecific' && !route.startsWith('/')) {
    problems.invalid(`${path}.path`, route, 'must be an absolute path');
  }
  validateBackend(`${path}.backend`, recordAt(entry, 'backend'), problems);
}

function validateBackend(path: string, backend: Members, problems: Problems): void {
  if (backend['resource'] !== undefined) return;
  const name = textAt(recordAt(backend, 'service'), 'name');
  if (!name) return problems.required(path);
  const why = isLabel1035(name);
  if (why) problems.invalid(`${path}.service.name`, name, why);
}

export function validateNetworkPolicy(policy: KubeObject, problems: Problems): void {
  const types: unknown = policy.spec?.['policyTypes'];
  for (const [index, type] of (Array.isArray(types) ? types : []).entries()) {
    problems.oneOf(`spec.policyTypes[${index}]`, type, ['Egress', 'Ingress']);
  }
  for (const [direction, side] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const [index, rule] of recordsAt(policy.spec, direction).entries()) {
      const at = `spec.${direction}[${index}]`;
      recordsAt(rule, 'ports').forEach((port, number) =>
        validatePolicyPort(`${at}.ports[${number}]`, port, problems),
      );
      recordsAt(rule, side).forEach((peer, number) =>
        validatePeer(`${at}.${side}[${number}]`, peer, problems),
      );
    }
  }
}

function validatePolicyPort(path: string, entry: Members, problems: Problems): void {
  problems.oneOf(`${path}.protocol`, entry['protocol'], ['SCTP', 'TCP', 'UDP']);
  const { port, endPort } = entry;
  if (typeof port === 'number') validatePort(`${path}.port`, port, problems);
  if (endPort === undefined) return;
  if (typeof port !== 'number') {
    const why =
      port === undefined
        ? 'may not be specified when `port` is not specified'
        : 'may not be specified when `port` is non-numeric';
    problems.invalid(`${path}.endPort`, endPort, why);
  } else if (typeof endPort === 'number' && endPort < port) {
    problems.invalid(`${path}.endPort`, endPort, 'must be greater than or equal to `port`');
  } else validatePort(`${path}.endPort`, endPort as number, problems);
}

function validatePeer(path: string, peer: Members, problems: Problems): void {
  const hasBlock = peer['ipBlock'] !== undefined;
  const selects = peer['podSelector'] !== undefined || peer['namespaceSelector'] !== undefined;
  if (!hasBlock && !selects) problems.required(path, 'must specify a peer');
  if (hasBlock && selects) problems.forbidden(path, 'may not specify both ipBlock and another peer');
  if (hasBlock) validateBlock(`${path}.ipBlock`, recordAt(peer, 'ipBlock'), problems);
}

function validateBlock(path: string, block: Members, problems: Problems): void {
  const cidr = textAt(block, 'cidr') ?? '';
  if (cidr === '') problems.required(`${path}.cidr`);
  else if (!isRange(cidr)) problems.invalid(`${path}.cidr`, cidr, NOT_A_RANGE);
  const except: unknown = block['except'];
  for (const [index, inner] of (Array.isArray(except) ? except : []).entries()) {
    const at = `${path}.except[${index}]`;
    if (typeof inner !== 'string' || !isRange(inner)) problems.invalid(at, inner, NOT_A_RANGE);
    else if (isRange(cidr) && !isInside(inner, cidr)) {
      problems.invalid(at, inner, 'must be a strict subset of `cidr`');
    }
  }
}

const NOT_A_RANGE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function isRange(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

function isInside(inner: string, outer: string): boolean {
  const [address = '', bits = ''] = outer.split('/');
  const [first = '', more = ''] = inner.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(first) !== isIP(address) || Number(more) <= Number(bits)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return list.check(first, family);
}
