import type { KubeObject } from '../../store/types.ts';
import { numberAt, recordAt, recordsAt, textAt } from './members.ts';
import type { Problems } from './problems.ts';

/** The bounds, the target and the metrics of a HorizontalPodAutoscaler. */
export function validateAutoscaler({ spec }: KubeObject, problems: Problems): void {
  const target = recordAt(spec, 'scaleTargetRef');
  for (const name of ['kind', 'name'])
    if (!textAt(target, name)) problems.required(`spec.scaleTargetRef.${name}`);
  const [least, most] = [numberAt(spec, 'minReplicas') ?? 1, numberAt(spec, 'maxReplicas') ?? 0];
  if (least < 1) problems.invalid('spec.minReplicas', least, 'must be greater than or equal to 1');
  if (most < 1) problems.invalid('spec.maxReplicas', most, 'must be greater than 0');
  if (most < least)
    problems.invalid('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`');
  for (const [index, metric] of recordsAt(spec, 'metrics').entries())
    validateMetric(`spec.metrics[${index}]`, metric, problems);
}

const MEMBERS: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function validateMetric(path: string, metric: Record<string, unknown>, problems: Problems): void {
  const type = textAt(metric, 'type');
  if (!type) return problems.required(`${path}.type`, 'must specify a metric source type');
  const member = Object.hasOwn(MEMBERS, type) ? MEMBERS[type] : undefined;
  if (member === undefined) return problems.notSupported(`${path}.type`, type, Object.keys(MEMBERS));
  if (metric[member] === undefined) {
    const why = 'must populate information for the given metric source';
    return problems.required(`${path}.${member}`, why);
  }
  const share = numberAt(recordAt(recordAt(metric, member), 'target'), 'averageUtilization');
  if (share !== undefined && share < 1)
    problems.invalid(`${path}.${member}.target.averageUtilization`, share, 'must be greater than 0');
  return undefined;
}
