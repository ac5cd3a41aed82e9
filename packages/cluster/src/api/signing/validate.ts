import type { KubeObject } from '../../store/types.ts';
import { numberAt, recordsAt, textAt } from '../admission/members.ts';
import { isSubdomain } from '../admission/problems.ts';
import type { Problems } from '../admission/problems.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const SHORTEST_SECONDS = 600;
const SIGNER_WORDS = 'must be a fully qualified domain and path of the form "example.com/signer-name"';

export function validateSigningRequest(object: KubeObject, problems: Problems): void {
  const { spec } = object;
  const request = Buffer.from(textAt(spec, 'request') ?? '', 'base64').toString('latin1');
  if (!/^\s*-----BEGIN CERTIFICATE REQUEST-----[\s\S]+-----END CERTIFICATE REQUEST-----\s*$/.test(request))
    problems.invalid('spec.request', '(PEM)', 'PEM block type must be CERTIFICATE REQUEST');
  validateUsages((spec?.['usages'] ?? []) as readonly string[], problems);
  const signer = textAt(spec, 'signerName') ?? '';
  if (signer === '') problems.required('spec.signerName');
  else if (!isSigner(signer)) problems.invalid('spec.signerName', signer, SIGNER_WORDS);
  else if (signer === 'kubernetes.io/legacy-unknown')
    problems.invalid('spec.signerName', signer, 'the legacy signerName is not allowed via this API version');
  const seconds = numberAt(spec, 'expirationSeconds');
  if (seconds !== undefined && seconds < SHORTEST_SECONDS) {
    const words = `may not specify a duration less than ${SHORTEST_SECONDS} seconds (10 minutes)`;
    problems.invalid('spec.expirationSeconds', seconds, words);
  }
  validateConditions(object, problems);
}

function isSigner(name: string): boolean {
  const [domain = '', ...path] = name.split('/');
  return domain.includes('.') && path.length === 1 && [domain, ...path].every((part) => !isSubdomain(part));
}

function validateUsages(usages: readonly string[], problems: Problems): void {
  if (usages.length === 0) problems.required('spec.usages', 'usages must be specified');
  for (const [index, usage] of usages.entries()) {
    if (!USAGES.includes(usage)) problems.notSupported(`spec.usages[${index}]`, usage, USAGES);
    if (usages.indexOf(usage) < index) problems.duplicate(`spec.usages[${index}]`, usage);
  }
}

function validateConditions({ status }: KubeObject, problems: Problems): void {
  const conditions = recordsAt(status, 'conditions');
  const types = conditions.map((condition) => textAt(condition, 'type') ?? '');
  for (const [index, condition] of conditions.entries()) {
    const at = `status.conditions[${index}]`;
    const type = types[index] ?? '';
    if (type === '') problems.required(`${at}.type`);
    const isFinal = ['Approved', 'Denied', 'Failed'].includes(type);
    if (isFinal && condition['status'] !== 'True')
      problems.notSupported(`${at}.status`, condition['status'], ['True']);
    if (types.indexOf(type) < index) problems.duplicate(`${at}.type`, type);
    const other = type === 'Denied' ? 'Approved' : 'Denied';
    if (type === 'Approved' && types.includes(other))
      problems.invalid(`${at}.type`, type, `${type} and ${other} conditions are mutually exclusive`);
  }
}

/** What was decided stays decided. */
export function validateDecision(object: KubeObject, before: KubeObject, problems: Problems): void {
  const present = recordsAt(object.status, 'conditions').map(({ type }) => type);
  for (const { type } of recordsAt(before.status, 'conditions')) {
    if (present.includes(type)) continue;
    problems.forbidden(
      'status.conditions',
      `updates may not remove a condition of type ${JSON.stringify(type)}`,
    );
  }
}
