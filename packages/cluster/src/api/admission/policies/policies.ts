import { typedObjects } from '../../../kinds/objects.ts';
import type { Pod } from '../../../kinds/pod.ts';
import type { PersistentVolumeClaim } from '../../../kinds/storage.ts';
import type { KubeObject, ResourceStore } from '../../../store/types.ts';
import type { Subject } from '../../status.ts';
import { recordAt } from '../members.ts';
import { qosClassOf } from '../quality.ts';
import { checkClaimGrowth } from './claim-growth.ts';
import { checkClaimLimits, checkPodLimits, fillFromLimitRanges } from './limit-ranges.ts';
import { checkNamespaceIsOpen } from './namespace-lifecycle.ts';
import { resolvePriority } from './priority.ts';
import { checkQuotas } from './quotas.ts';
import { admitRuntimeClass } from './runtime-class.ts';
import { checkServiceAccount } from './service-account.ts';

/** What is created, by a client or by a controller; or changed, when `before` is given. */
export interface PolicyChange {
  /** The store's name of the resource. */
  readonly resource: string;
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
}

/**
 * What the cluster's own objects say about an object that is complete and valid: its namespace, priority classes, limit
 * ranges and quotas, service accounts. Fills in what they give.
 * @throws ApiFault 403
 */
export function admitByPolicies(store: ResourceStore, change: PolicyChange): void {
  const { resource, object, before } = change;
  const [plural = '', ...group] = resource.split('.');
  const subject = { plural, group: group.join('.'), kind: object.kind };
  const objects = typedObjects(store);
  if (!before) checkNamespaceIsOpen(store, subject, object);
  if (resource === 'pods' && !before) admitPod(store, subject, object);
  if (resource === 'persistentvolumeclaims') {
    checkClaimLimits(objects, subject, object as unknown as PersistentVolumeClaim);
    if (before) checkClaimGrowth(store, subject, { object, before });
  }
  if (object.metadata.namespace !== undefined) checkQuotas(objects, { ...change, subject });
}

function admitPod(store: ResourceStore, subject: Subject, object: KubeObject): void {
  const objects = typedObjects(store);
  const pod = object as unknown as Pod;
  checkServiceAccount(store, subject, object);
  admitRuntimeClass(objects, subject, pod);
  // Defaulting has written 0 where nothing was given.
  resolvePriority(objects, subject, pod, pod.spec.priority || undefined);
  fillFromLimitRanges(objects, pod);
  checkPodLimits(objects, subject, pod);
  if (object.status) object.status['qosClass'] = qosClassOf(recordAt(object, 'spec'));
}
