import type { PathAccess, ResourceAccess } from './access-request.ts';

/** A rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const ANY = '*';

const has = (list: readonly string[] | undefined, value: string): boolean =>
  (list ?? []).some((each) => each === ANY || each === value);

/** Does the rule allow the verb there? */
export function ruleAllows(rule: PolicyRule, verb: string, to: ResourceAccess | PathAccess): boolean {
  if (!has(rule.verbs, verb)) return false;
  if ('path' in to) return (rule.nonResourceURLs ?? []).some((pattern) => fitsPath(pattern, to.path));
  const named = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups, to.group) &&
    fitsResource(rule.resources, to) &&
    (named.length === 0 || (to.name !== undefined && named.includes(to.name)))
  );
}

/** Exact, or with a star at the end for everything below. */
function fitsPath(pattern: string, path: string): boolean {
  if (pattern === ANY) return true;
  return pattern.endsWith(ANY) ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

function fitsResource(resources: readonly string[] | undefined, to: ResourceAccess): boolean {
  if (to.subresource === undefined) return has(resources, to.resource);
  return has(resources, `${to.resource}/${to.subresource}`) || has(resources, `${ANY}/${to.subresource}`);
}

/** One verb on one thing; a star stands for itself. */
interface Permission {
  readonly verb: string;
  readonly to: ResourceAccess | PathAccess;
}

/**
 * The permissions of `wanted` that `held` does not allow: nobody may give away what they do not have. A star is covered by
 * a star only.
 */
export function uncovered(wanted: readonly PolicyRule[], held: readonly PolicyRule[]): PolicyRule[] {
  return wanted
    .flatMap(permissions)
    .filter(({ verb, to }) => !held.some((rule) => ruleAllows(rule, verb, to)))
    .map(toRule);
}

function permissions(rule: PolicyRule): Permission[] {
  const things = [...(rule.nonResourceURLs ?? []).map((path) => ({ path })), ...resourcesOf(rule)];
  return (rule.verbs ?? []).flatMap((verb) => things.map((to) => ({ verb, to })));
}

function resourcesOf({ apiGroups = [], resources = [], resourceNames = [] }: PolicyRule): ResourceAccess[] {
  const names = resourceNames.length > 0 ? resourceNames : [undefined];
  return apiGroups.flatMap((group) =>
    resources.flatMap((text) => {
      const [resource = '', subresource] = text.split('/');
      return names.map((name) => ({ group, resource, subresource, name }));
    }),
  );
}

function toRule({ verb, to }: Permission): PolicyRule {
  if ('path' in to) return { verbs: [verb], nonResourceURLs: [to.path] };
  const resource = to.subresource === undefined ? to.resource : `${to.resource}/${to.subresource}`;
  const named = to.name === undefined ? {} : { resourceNames: [to.name] };
  return { verbs: [verb], apiGroups: [to.group], resources: [resource], ...named };
}

/** For a message: what it is about, in Kubernetes' own form. */
export function ruleText(rule: PolicyRule): string {
  const part = (key: string, values: readonly string[] | undefined) =>
    values?.length ? [`${key}:${JSON.stringify(values)}`] : [];
  const members = [
    ...part('APIGroups', rule.apiGroups),
    ...part('Resources', rule.resources),
    ...part('ResourceNames', rule.resourceNames),
    ...part('NonResourceURLs', rule.nonResourceURLs),
    ...part('Verbs', rule.verbs),
  ];
  return `{${members.join(', ')}}`;
}
