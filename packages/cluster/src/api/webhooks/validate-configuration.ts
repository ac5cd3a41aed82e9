import { whyUnroutable } from '../../kinds/special-addresses.ts';
import type { KubeObject } from '../../store/types.ts';
import { numberAt, recordAt, recordsAt, textAt } from '../admission/members.ts';
import type { Members } from '../admission/members.ts';
import { isLabel1035, isSubdomain } from '../admission/problems.ts';
import type { Problems } from '../admission/problems.ts';
import { validateSelector } from '../admission/validate-selector.ts';

const LONGEST_TIMEOUT_SECONDS = 30;
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const NO_CONDITIONS =
  'this cluster does not evaluate CEL, and a webhook that is called for more than it asked for would not behave as elsewhere';

/** Both kinds of configurations, after their defaults were filled in. */
export function validateConfiguration(configuration: KubeObject, problems: Problems): void {
  const names = new Set<string>();
  for (const [index, webhook] of recordsAt(configuration, 'webhooks').entries()) {
    const at = `webhooks[${index}]`;
    const name = textAt(webhook, 'name') ?? '';
    validateName(`${at}.name`, name, problems);
    if (name !== '' && names.has(name)) problems.duplicate(`${at}.name`, name);
    names.add(name);
    validateWebhook(at, webhook, problems);
  }
}

/** Three parts at least, as of a domain. */
function validateName(at: string, name: string, problems: Problems): void {
  const why = name === '' ? undefined : isSubdomain(name);
  if (name === '') problems.required(at);
  else if (why) problems.invalid(at, name, why);
  else if (name.split('.').length < 3)
    problems.invalid(at, name, 'should be a domain with at least three segments separated by dots');
}

function validateWebhook(at: string, webhook: Members, problems: Problems): void {
  for (const [index, rule] of recordsAt(webhook, 'rules').entries())
    validateRule(`${at}.rules[${index}]`, rule, problems);
  problems.oneOf(`${at}.failurePolicy`, webhook['failurePolicy'], ['Fail', 'Ignore']);
  problems.oneOf(`${at}.matchPolicy`, webhook['matchPolicy'], ['Equivalent', 'Exact']);
  problems.oneOf(`${at}.reinvocationPolicy`, webhook['reinvocationPolicy'], ['IfNeeded', 'Never']);
  if (webhook['sideEffects'] === undefined)
    problems.required(`${at}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`);
  problems.oneOf(`${at}.sideEffects`, webhook['sideEffects'], SIDE_EFFECTS);
  const timeout = numberAt(webhook, 'timeoutSeconds') ?? 1;
  if (timeout < 1 || timeout > LONGEST_TIMEOUT_SECONDS) {
    const why = `the timeout value must be between 1 and ${LONGEST_TIMEOUT_SECONDS} seconds`;
    problems.invalid(`${at}.timeoutSeconds`, timeout, why);
  }
  for (const field of ['namespaceSelector', 'objectSelector'])
    validateSelector(`${at}.${field}`, recordAt(webhook, field), problems);
  validateClient(`${at}.clientConfig`, recordAt(webhook, 'clientConfig'), problems);
  if (recordsAt(webhook, 'matchConditions').length > 0)
    problems.forbidden(`${at}.matchConditions`, NO_CONDITIONS);
  validateVersions(`${at}.admissionReviewVersions`, textsAt(webhook, 'admissionReviewVersions'), problems);
}

const textsAt = (owner: Members, key: string) => (owner[key] ?? []) as readonly string[];

function validateRule(at: string, rule: Members, problems: Problems): void {
  validateList(`${at}.operations`, textsAt(rule, 'operations'), { problems, of: 'operations' });
  for (const [index, operation] of textsAt(rule, 'operations').entries())
    problems.oneOf(`${at}.operations[${index}]`, operation, OPERATIONS);
  validateList(`${at}.apiGroups`, textsAt(rule, 'apiGroups'), { problems, of: 'API groups' });
  validateList(`${at}.apiVersions`, textsAt(rule, 'apiVersions'), { problems, of: 'API versions' });
  for (const [index, version] of textsAt(rule, 'apiVersions').entries())
    if (version === '') problems.required(`${at}.apiVersions[${index}]`);
  validateResources(`${at}.resources`, textsAt(rule, 'resources'), problems);
  problems.oneOf(`${at}.scope`, rule['scope'], ['*', 'Cluster', 'Namespaced']);
}

function validateList(
  at: string,
  values: readonly string[],
  { problems, of }: { readonly problems: Problems; readonly of: string },
): void {
  if (values.length === 0) problems.required(at);
  else if (values.length > 1 && values.includes('*'))
    problems.invalid(at, values, `if '*' is present, must not specify other ${of}`);
}

/** `*` stands for all resources, `/*` for all subresources: what they cover may not follow them. */
function validateResources(at: string, resources: readonly string[], problems: Problems): void {
  if (resources.length === 0) problems.required(at);
  for (const [index, name] of resources.entries()) {
    const [resource = '', part] = name.split('/', 2);
    const path = `${at}[${index}]`;
    if (name === '') problems.required(path);
    if (part === undefined) continue;
    const earlier = resources.slice(0, index);
    const cover = [`${resource}/*`, `*/${part}`].find((each) => earlier.includes(each));
    if (cover) problems.invalid(path, name, `if '${cover}' is present, must not specify ${name}`);
  }
  if (resources.length > 1 && resources.includes('*/*'))
    problems.invalid(at, resources, "if '*/*' is present, must not specify other resources");
  if (resources.includes('*') && resources.some((name) => name !== '*' && !name.includes('/'))) {
    const why = "if '*' is present, must not specify other resources without subresources";
    problems.invalid(at, resources, why);
  }
}

function validateVersions(at: string, versions: readonly string[], problems: Problems): void {
  if (versions.length === 0)
    return problems.required(at, `must specify one of ${REVIEW_VERSIONS.join(', ')}`);
  for (const [index, version] of versions.entries()) {
    const why = versions.indexOf(version) < index ? 'duplicate version' : isLabel1035(version);
    if (why) problems.invalid(`${at}[${index}]`, version, why);
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    problems.invalid(at, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`);
}

function validateClient(at: string, client: Members, problems: Problems): void {
  const url = textAt(client, 'url');
  const hasService = client['service'] !== undefined;
  if ((url === undefined) !== hasService) problems.required(at, 'exactly one of url or service is required');
  else if (url !== undefined) validateUrl(`${at}.url`, url, problems);
  else validateService(`${at}.service`, recordAt(client, 'service'), problems);
}

const FORM = '; desired format: https://host[/path]';

function validateUrl(at: string, text: string, problems: Problems): void {
  if (!URL.canParse(text))
    return problems.required(at, `url must be a valid URL: ${JSON.stringify(text)}${FORM}`);
  const url = new URL(text);
  if (url.protocol !== 'https:')
    problems.invalid(at, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${FORM}`);
  if (url.host === '') problems.invalid(at, '', `host must be provided${FORM}`);
  if (url.username !== '' || url.password !== '')
    problems.invalid(at, url.username, 'user information is not permitted in the URL');
  if (url.hash !== '') problems.invalid(at, url.hash.slice(1), 'fragments are not permitted in the URL');
  if (url.search !== '')
    problems.invalid(at, url.search.slice(1), 'query parameters are not permitted in the URL');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const why = /^[\d.]+$|:/.test(host) ? whyUnroutable(host) : undefined;
  if (why) problems.invalid(at, host, why);
}

function validateService(at: string, service: Members, problems: Problems): void {
  if (!textAt(service, 'name')) problems.required(`${at}.name`, 'service name is required');
  if (!textAt(service, 'namespace')) problems.required(`${at}.namespace`, 'service namespace is required');
  const port = numberAt(service, 'port') ?? 1;
  if (port < 1 || port > 65_535)
    problems.invalid(`${at}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive');
  validatePath(`${at}.path`, textAt(service, 'path') ?? '', problems);
}

function validatePath(at: string, path: string, problems: Problems): void {
  if (path === '' || path === '/') return;
  if (!path.startsWith('/')) problems.invalid(at, path, "must start with a '/'");
  const steps = path
    .replace(/(?<=.)\/$/, '')
    .slice(1)
    .split('/');
  for (const [index, step] of steps.entries()) {
    const why = step === '' ? `segment[${index}] may not be empty` : isSubdomain(step);
    if (why) problems.invalid(at, path, step === '' ? why : `segment[${index}]: ${why}`);
  }
}
