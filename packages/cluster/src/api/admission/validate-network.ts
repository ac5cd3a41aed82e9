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
