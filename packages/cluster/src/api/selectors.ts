import type { KubeObject } from '../store/types.ts';
import { badRequest } from './status.ts';

type Test = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const SET_FORM = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EQUAL_FORM = new RegExp(`^(${KEY})\\s*(==|!=|=)\\s*([-A-Za-z0-9_.]*)$`);
const EXISTS_FORM = new RegExp(`^(!?)\\s*(${KEY})$`);

/**
 * A label selector as it stands in a query: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Empty matches everything.
 * @throws ApiFault 400
 */
export function parseLabelSelector(text: string): Test {
  const tests = splitTop(text).map(parseRequirement);
  return (labels) => tests.every((test) => test(labels));
}

/** At commas that are not inside parentheses. */
function splitTop(text: string): string[] {
  const parts = [''];
  let isInside = false;
  for (const char of text) {
    if (char === '(' || char === ')') isInside = char === '(';
    if (char === ',' && !isInside) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function parseRequirement(text: string): Test {
  const set = SET_FORM.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => values.has(own(labels, key) ?? NEVER);
    return (labels) => !values.has(own(labels, key) ?? NEVER);
  }
  const equal = EQUAL_FORM.exec(text);
  if (equal) {
    const [, key = '', operator, value = ''] = equal;
    return operator === '!='
      ? (labels) => own(labels, key) !== value
      : (labels) => own(labels, key) === value;
  }
  const exists = EXISTS_FORM.exec(text);
  if (!exists) throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
  const [, not, key = ''] = exists;
  return not ? (labels) => own(labels, key) === undefined : (labels) => own(labels, key) !== undefined;
}

/** No label has this value: it has a blank in it. */
const NEVER = ' ';

function own(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A LabelSelector as it stands in an object. Empty matches everything, undefined nothing. */
export function matchesSelector(
  selector: LabelSelectorObject | undefined,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  if (!selector) return false;
  const equal = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => own(labels, key) === value,
  );
  return equal && (selector.matchExpressions ?? []).every((expression) => holds(expression, labels));
}

function holds(
  expression: { readonly key: string; readonly operator: string; readonly values?: readonly string[] },
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = own(labels, expression.key);
  switch (expression.operator) {
    case 'In':
      return value !== undefined && (expression.values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(expression.values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}

/** Fields that can be selected by besides `metadata.name` and `metadata.namespace`. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'reason',
    'reportingComponent',
    'reportingController',
    'source',
    'type',
  ],
  secrets: ['type'],
  namespaces: ['status.phase', 'name'],
  nodes: ['spec.unschedulable'],
  services: ['spec.clusterIP', 'spec.type'],
  'jobs.batch': ['status.successful'],
  'replicasets.apps': ['status.replicas'],
  replicationcontrollers: ['status.replicas'],
  'certificatesigningrequests.certificates.k8s.io': ['spec.signerName'],
};

/**
 * @param resource the store's name of it
 * @param more other fields that its objects can be selected by, such as `spec.size`
 * @throws ApiFault 400 for a field that cannot be selected by
 */
export function parseFieldSelector(
  resource: string,
  text: string,
  more: readonly string[] = [],
): (object: KubeObject) => boolean {
  const tests = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const match = /^([^=!]+?)(==|!=|=)(.*)$/.exec(part.trim());
      if (!match) throw badRequest(`invalid selector: ${JSON.stringify(part)}; can't understand it`);
      const [, field = '', operator, value = ''] = match;
      const known = ['metadata.name', 'metadata.namespace', ...(SELECTABLE[resource] ?? []), ...more];
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return (object: KubeObject) => (fieldOf(object, field) === value) === (operator !== '!=');
    });
  return (object) => tests.every((test) => test(object));
}

function fieldOf(object: KubeObject, field: string): string {
  const reporter = text(dig(object, ['reportingComponent']));
  if (field === 'source') return text(dig(object, ['source', 'component'])) || reporter;
  if (field === 'reportingController') return reporter;
  if (field === 'name') return object.metadata.name;
  const parts = field.split('.');
  if (parts[0] === 'regarding') return text(dig(object, ['involvedObject', ...parts.slice(1)]));
  const value = dig(object, parts);
  if (value === undefined && (field === 'spec.hostNetwork' || field === 'spec.unschedulable')) return 'false';
  return text(value);
}

function dig(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
