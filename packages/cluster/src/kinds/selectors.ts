import type { LabelSelector, LabelSelectorRequirement } from './meta.ts';

type Labels = Readonly<Record<string, string>> | undefined;

function meets(labels: Readonly<Record<string, string>>, requirement: LabelSelectorRequirement): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && (requirement.values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(requirement.values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** A plain map of labels, all of which have to be there. An empty or absent map selects nothing. */
export function matchesLabels(selector: Labels, labels: Labels): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}

/** A LabelSelector of a workload; an empty one selects nothing, so that a mistake adopts nobody. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  const some = [...Object.keys(selector?.matchLabels ?? {}), ...(selector?.matchExpressions ?? [])];
  return some.length > 0 && selectsOrAll(selector, labels);
}

/** A LabelSelector of a policy: an absent one selects nothing, an empty one everything. */
export function selectsOrAll(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  const present = labels ?? {};
  const wanted = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  return (
    wanted.every(([key, value]) => present[key] === value) && expressions.every((one) => meets(present, one))
  );
}
