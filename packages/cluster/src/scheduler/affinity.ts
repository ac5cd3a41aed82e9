import type { Node } from '../kinds/core.ts';
import type { NodeRequirement, NodeTerm, Pod, PodTerm, TopologySpreadConstraint } from '../kinds/pod.ts';
import { selectsOrAll } from '../kinds/selectors.ts';

/** What the rules between pods need to know: who is on the node, and the labels of namespaces. */
export interface Surroundings {
  readonly node: Node;
  readonly pods: readonly Pod[];
  namespaceLabels(name: string): Readonly<Record<string, string>>;
}

export function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const wanted = Object.entries(pod.spec.nodeSelector ?? {});
  if (!wanted.every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeTerm, { metadata }: Node): boolean {
  // A term without requirements matches no node.
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': metadata.name };
  return (
    matchExpressions.every((one) => meets(metadata.labels ?? {}, one)) &&
    matchFields.every((one) => meets(fields, one))
  );
}

function meets(labels: Readonly<Record<string, string>>, requirement: NodeRequirement): boolean {
  const { key, operator, values = [] } = requirement;
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** Is `other` meant by the term of `owner`? */
function means(term: PodTerm, owner: Pod, other: Pod, around: Surroundings): boolean {
  const namespace = other.metadata.namespace ?? '';
  const named = term.namespaces ?? [];
  const byDefault = named.length === 0 && !term.namespaceSelector;
  const inScope = byDefault
    ? namespace === owner.metadata.namespace
    : named.includes(namespace) || selectsOrAll(term.namespaceSelector, around.namespaceLabels(namespace));
  return inScope && selectsOrAll(term.labelSelector, other.metadata.labels);
}

const AFFINITY = "node(s) didn't match pod affinity rules";
const ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules";
const OTHERS_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules";

const requiredOf = (pod: Pod, which: 'podAffinity' | 'podAntiAffinity') =>
  pod.spec.affinity?.[which]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/** With one node every topology is that node, if it has the label at all. */
export function obstacleByPods(pod: Pod, around: Surroundings): string | undefined {
  const { node, pods } = around;
  const here = ({ topologyKey }: PodTerm) => node.metadata.labels?.[topologyKey] !== undefined;
  const wanted = requiredOf(pod, 'podAffinity');
  const isMet = (term: PodTerm) =>
    here(term) && [...pods, pod].some((other) => means(term, pod, other, around));
  if (!wanted.every(isMet)) return AFFINITY;
  const unwanted = requiredOf(pod, 'podAntiAffinity').filter(here);
  if (unwanted.some((term) => pods.some((other) => means(term, pod, other, around)))) return ANTI_AFFINITY;
  const refused = pods.some((other) =>
    requiredOf(other, 'podAntiAffinity')
      .filter(here)
      .some((term) => means(term, other, pod, around)),
  );
  return refused ? OTHERS_ANTI_AFFINITY : undefined;
}

const SPREAD = "node(s) didn't match pod topology spread constraints";

/** One node is one domain, whose skew is none, unless more domains are asked for than there are. */
export function obstacleBySpread(pod: Pod, { node, pods }: Surroundings): string | undefined {
  const hard = (pod.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  );
  if (hard.some(({ topologyKey }) => node.metadata.labels?.[topologyKey] === undefined)) {
    return `${SPREAD} (missing required label)`;
  }
  const tooMany = ({ minDomains = 1, maxSkew, labelSelector }: TopologySpreadConstraint) => {
    if (minDomains <= 1) return false;
    const matching = pods.filter(
      (other) =>
        other.metadata.namespace === pod.metadata.namespace &&
        other.metadata.deletionTimestamp === undefined &&
        selectsOrAll(labelSelector, other.metadata.labels),
    );
    return matching.length + 1 > maxSkew;
  };
  return hard.some(tooMany) ? SPREAD : undefined;
}
