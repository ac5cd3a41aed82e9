import type { KubeObject, ResourceStore } from '../../store/types.ts';
import { catalogOf } from '../catalog.ts';
import type { ServedResource } from '../resources.ts';
import { matchesSelector } from '../selectors.ts';
import type { LabelSelectorObject } from '../selectors.ts';
import type { Rule, Webhook } from './configuration.ts';
import type { Question } from './question.ts';

type Asked = Pick<
  Question,
  'operation' | 'type' | 'subresource' | 'namespace' | 'name' | 'object' | 'before'
>;

/** Webhooks are not asked about webhooks: nobody could get rid of a broken one. */
export const isExempt = (type: ServedResource) => type.group === 'admissionregistration.k8s.io';

/**
 * The resource as which the webhook is to see what is asked: the one that was asked for, or another version of it that
 * one of the webhook's rules names. undefined: the webhook is not asked.
 */
export function matchOf(
  store: Pick<ResourceStore, 'get' | 'list'>,
  webhook: Webhook,
  question: Asked,
): ServedResource | undefined {
  if (!isInNamespace(store, webhook.namespaceSelector, question)) return undefined;
  if (!isObject(webhook.objectSelector, question)) return undefined;
  const rules = webhook.rules ?? [];
  const named = (type: ServedResource) => rules.some((rule) => covers(rule, type, question));
  if (named(question.type)) return question.type;
  return webhook.matchPolicy === 'Exact' ? undefined : versionsOf(store, question.type).find(named);
}

function covers(rule: Rule, type: ServedResource, { operation, subresource = '' }: Asked): boolean {
  const isIn = (list: readonly string[], value: string) => list.includes('*') || list.includes(value);
  if (!isIn(rule.operations, operation) || !isIn(rule.apiGroups, type.group)) return false;
  if (!isIn(rule.apiVersions, type.version)) return false;
  if (rule.scope !== '*' && (rule.scope === 'Namespaced') !== type.namespaced) return false;
  return rule.resources.some((name) => {
    const [resource, part = ''] = name.split('/', 2);
    return (resource === '*' || resource === type.plural) && (part === '*' || part === subresource);
  });
}

/** All under which the same stored objects are served. */
function versionsOf(store: Pick<ResourceStore, 'list'>, type: ServedResource): ServedResource[] {
  return catalogOf(store).all.filter((other) => other.storedAs === type.storedAs);
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelectorObject) =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

function isObject(selector: LabelSelectorObject, { object, before }: Asked): boolean {
  if (isEmpty(selector)) return true;
  return [object, before].some((each) => each && matchesSelector(selector, each.metadata?.labels));
}

/** What lies in no namespace always is; a namespace itself counts as what it is about to be. */
function isInNamespace(
  store: Pick<ResourceStore, 'get'>,
  selector: LabelSelectorObject,
  question: Asked,
): boolean {
  const { type, namespace, name, operation, subresource, object } = question;
  if (isEmpty(selector)) return true;
  const isNamespace = type.storedAs === 'namespaces';
  if (!isNamespace && !type.namespaced) return true;
  const isWritten = isNamespace && subresource === undefined && operation !== 'DELETE';
  const found: KubeObject | undefined = isWritten
    ? object
    : store.get('namespaces', undefined, isNamespace ? name : (namespace ?? ''));
  return matchesSelector(selector, found?.metadata.labels);
}
