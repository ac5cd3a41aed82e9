import type { Objects } from '../../../kinds/objects.ts';
import { milliOf, quantityOf } from '../../../kinds/pod-resources.ts';
import type { Pod } from '../../../kinds/pod.ts';
import type { ResourceQuota } from '../../../kinds/quota.ts';
import type { KubeObject } from '../../../store/types.ts';
import { forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';
import { concerns, unspecified, usageOf, usedOf } from './quota-usage.ts';

export interface QuotaChange {
  readonly resource: string;
  readonly subject: Subject;
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
}

/**
 * Refuses what would use more than a quota of the namespace has left. Counted from what is stored at this moment, so that no
 * burst of requests can get past it.
 * @throws ApiFault 403
 */
export function checkQuotas(objects: Objects, change: QuotaChange): void {
  for (const quota of objects.list('resourcequotas', change.object.metadata.namespace)) {
    if (concerns(quota, change.resource, change.object)) checkQuota(objects, quota, change);
  }
}

function checkQuota(objects: Objects, quota: ResourceQuota, change: QuotaChange): void {
  const { resource, subject, object, before } = change;
  const { name, namespace } = object.metadata;
  if (resource === 'pods' && !before) {
    const missing = unspecified(quota, object as unknown as Pod);
    if (missing.length > 0) {
      const why = `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`;
      throw forbidden(subject, name, why);
    }
  }
  const hard = quota.spec.hard ?? {};
  const former = before ? usageOf(resource, before) : new Map<string, number>();
  const growth = [...usageOf(resource, object)]
    .map(([key, amount]) => [key, amount - (former.get(key) ?? 0)] as const)
    .filter(([key, amount]) => amount > 0 && Object.hasOwn(hard, key));
  if (growth.length === 0) return;
  const used = usedOf(quota, (of) => objects.store.list(of, namespace));
  const exceeded = growth.filter(([key, amount]) => (used.get(key) ?? 0) + amount > milliOf(hard[key]));
  if (exceeded.length === 0) return;
  const show = (amountOf: (key: string, growth: number) => number) =>
    exceeded
      .map(([key, amount]) => `${key}=${quantityOf(key, amountOf(key, amount))}`)
      .toSorted()
      .join(',');
  const requested = show((_key, amount) => amount);
  const taken = show((key) => used.get(key) ?? 0);
  const limited = show((key) => milliOf(hard[key]));
  const why = `exceeded quota: ${quota.metadata.name}, requested: ${requested}, used: ${taken}, limited: ${limited}`;
  throw forbidden(subject, name, why);
}
