import { parseQuantity } from '../kinds/quantity.ts';
import type { Container, PodSpec } from '../kinds/pod.ts';

const COUNTED = ['cpu', 'memory'];

/** BestEffort: nothing asked for; Guaranteed: limits everywhere and equal to the requests; else Burstable. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const amounts = ({ resources }: Container, list: 'limits' | 'requests') =>
    COUNTED.map((name) => parseQuantity(resources?.[list]?.[name]) ?? 0);
  const asks = containers.some((one) =>
    [...amounts(one, 'limits'), ...amounts(one, 'requests')].some((amount) => amount > 0),
  );
  if (!asks) return 'BestEffort';
  const guaranteed = containers.every((one) => {
    const requests = amounts(one, 'requests');
    return amounts(one, 'limits').every((limit, index) => limit > 0 && (requests[index] || limit) === limit);
  });
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
