import { timestamp } from '@updraft/kit';
import type { KubeObject } from '../../store/types.ts';
import type { ApiContext } from '../context.ts';
import { ApiFault } from '../status.ts';
import type { CustomType } from './custom-type.ts';
import { DEFINITIONS, conditionsOf, specOf } from './definition.ts';
import type { DefinitionCondition, DefinitionNames } from './definition.ts';
import { nodesOf } from './json-schema.ts';

/** Keeps a definition until its objects are gone. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** @throws ApiFault 405 while the definition is being deleted */
export function checkCanBeMade(custom: CustomType): void {
  if (!custom.terminating) return;
  const words = 'create not allowed while custom resource definition is terminating';
  throw new ApiFault(405, 'MethodNotAllowed', words, {});
}

/**
 * The status of a definition says at once whether its names are accepted: there is nobody else to ask. Changes
 * `definition`.
 */
export function admitDefinition(
  context: Pick<ApiContext, 'store' | 'clock'>,
  definition: KubeObject,
  before: KubeObject | undefined,
): void {
  if (!before) hold(definition);
  const taken = conflictOf(context, definition);
  const { names } = specOf(definition);
  definition.status = {
    ...before?.status,
    conditions: conditions(before, taken, timestamp(context.clock.now())),
    acceptedNames: taken === undefined ? names : (before?.status?.['acceptedNames'] ?? NO_NAMES),
    storedVersions: storedVersions(definition, before),
  };
}

const NO_NAMES = { plural: '', kind: '' };

function hold({ metadata }: KubeObject): void {
  metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), CLEANUP])];
}

function storedVersions(definition: KubeObject, before: KubeObject | undefined): string[] {
  const former = (before?.status?.['storedVersions'] as string[] | undefined) ?? [];
  const stored = specOf(definition).versions.filter(({ storage }) => storage);
  return [...new Set([...former, ...stored.map(({ name }) => name)])];
}

function conditions(
  before: KubeObject | undefined,
  taken: string | undefined,
  lastTransitionTime: string,
): DefinitionCondition[] {
  const previous = before ? conditionsOf(before) : [];
  const ours = [namesAccepted(taken), established(taken)].map((each) =>
    since(previous, { ...each, lastTransitionTime }),
  );
  return [...previous.filter(({ type }) => ours.every((each) => each.type !== type)), ...ours];
}

function namesAccepted(taken: string | undefined) {
  return taken === undefined
    ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
    : {
        type: 'NamesAccepted',
        status: 'False',
        reason: 'NameConflict',
        message: `${taken} is already in use`,
      };
}

function established(taken: string | undefined) {
  const message = 'the initial names have been accepted';
  return taken === undefined
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
}

/** A condition that is as it was has been so since then. */
function since(previous: readonly DefinitionCondition[], next: DefinitionCondition): DefinitionCondition {
  const former = previous.find(({ type }) => type === next.type);
  return former?.status === next.status ? { ...next, lastTransitionTime: former.lastTransitionTime } : next;
}

/** A name that another definition of the group has; undefined: all are free. */
function conflictOf(context: Pick<ApiContext, 'store'>, definition: KubeObject): string | undefined {
  const { group, names } = specOf(definition);
  const others = context.store
    .list(DEFINITIONS)
    .filter(({ metadata }) => metadata.name !== definition.metadata.name)
    .map(specOf)
    .filter((other) => other.group === group);
  const taken = new Set(others.flatMap((other) => allNames(other.names)));
  const kinds = new Set(others.flatMap((other) => [other.names.kind, listKind(other.names)]));
  const name = allNames(names).find((each) => taken.has(each));
  if (name !== undefined) return JSON.stringify(name);
  const kind = [names.kind, listKind(names)].find((each) => kinds.has(each));
  return kind === undefined ? undefined : JSON.stringify(kind);
}

const listKind = (names: DefinitionNames) => names.listKind ?? `${names.kind}List`;
const allNames = ({ plural, singular, kind, shortNames }: DefinitionNames) => [
  plural,
  singular ?? kind.toLowerCase(),
  ...(shortNames ?? []),
];

/** What a definition asks for and does not get here. */
export function definitionWarnings(definition: KubeObject): string[] {
  const { versions, conversion } = specOf(definition);
  const warnings = versions.flatMap(({ name, schema }, index) => {
    const nodes = [...nodesOf(schema?.openAPIV3Schema ?? {})];
    const ruled = nodes.find(({ node }) => (node['x-kubernetes-validations'] ?? []).length > 0);
    if (!ruled) return [];
    const where = `spec.versions[${index}].schema.openAPIV3Schema${ruled.path}.x-kubernetes-validations`;
    return [`${where}: rules in CEL are not evaluated by this cluster (version ${name})`];
  });
  if (conversion?.strategy === 'Webhook') {
    warnings.push('spec.conversion: webhooks are not called by this cluster; only apiVersion is converted');
  }
  return warnings;
}
