import { timestamp } from '@updraft/kit';
import type { KubeObject } from '../store/types.ts';
import { admitUpdate } from './admission/admit.ts';
import { numberAt, textAt } from './admission/members.ts';
import type { Answer, ApiContext } from './context.ts';
import { findByPath, parseJsonPath, withValueAt } from './custom/json-path.ts';
import { trackUpdate } from './fields/managed-fields.ts';
import { patched } from './patch.ts';
import { decodeBody, writerOf } from './request.ts';
import type { ApiRequest } from './request.ts';
import type { ServedResource } from './resources.ts';
import { conform, isRecord } from './schema/conform.ts';
import { badRequest, invalid, methodNotAllowed } from './status.ts';
import { requirementsOf } from './tables/format.ts';
import type { Passage } from './webhooks/gate.ts';
import { SCALE } from './webhooks/question.ts';
import { checkVersion, existing, store } from './write.ts';
import type { Named } from './write.ts';

const DEFINITION = 'io.k8s.api.autoscaling.v1.Scale';

/** GET, PUT and PATCH of `…/scale`. */
export function scale(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const { type } = named;
  const before = existing(context, named);
  const present = scaleOf(type, before);
  if (request.method === 'GET' || request.method === 'HEAD') return { code: 200, body: present };
  if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed();
  const writer = writerOf(request, request.method === 'PUT' ? 'UpdateOptions' : 'PatchOptions');
  const value =
    request.method === 'PUT' ? decodeBody(request) : patched(present, request, { definition: DEFINITION });
  const { scale: asked, passage } = judgeScale(context, named, { asked: conformScale(value), present });
  const wanted = readScale(asked, named.name);
  const next = withReplicas(type, before, wanted.replicas);
  next.metadata.resourceVersion = wanted.resourceVersion;
  checkVersion(named, before, next);
  const admitted = admitUpdate(context, type, { object: next, before });
  const time = timestamp(context.clock.now());
  const tracking = { manager: writer.manager, time, subresource: 'scale' };
  const after = trackUpdate(type, tracking, { before, after: admitted });
  passage?.leave(asked);
  const stored = store(context, type, { object: after, before, dryRun: writer.dryRun });
  return { code: 200, body: scaleOf(type, stored) };
}

/** @throws ApiFault 400 */
function conformScale(value: unknown): KubeObject {
  if (!isRecord(value)) throw badRequest('the object provided is unrecognized (must be of type Scale)');
  // Some clients write the name of the scaled kind here.
  const whole = { ...value, kind: 'Scale', apiVersion: 'autoscaling/v1' };
  return conform(DEFINITION, whole, 'Scale').object as KubeObject;
}

/** @throws Awaiting, ApiFault */
function judgeScale(
  context: ApiContext,
  { type, namespace, name }: Named,
  { asked, present }: { readonly asked: KubeObject; readonly present: Record<string, unknown> },
): { readonly scale: KubeObject; readonly passage: Passage | undefined } {
  const change = { operation: 'UPDATE', type, subresource: 'scale', kind: SCALE, namespace, name } as const;
  const passage = context.gate?.enter({ ...change, object: asked, before: present as KubeObject });
  return { scale: passage?.object ?? asked, passage };
}

/** @throws ApiFault 422 */
function readScale(object: KubeObject, name: string): { replicas: number; resourceVersion: string } {
  const replicas = numberAt(object['spec'], 'replicas') ?? 0;
  if (replicas < 0) {
    const subject = { group: 'autoscaling', plural: 'scales', kind: 'Scale' };
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    throw invalid(subject, name, [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message }]);
  }
  return { replicas, resourceVersion: textAt(object['metadata'], 'resourceVersion') ?? '' };
}

function withReplicas(type: ServedResource, object: KubeObject, replicas: number): KubeObject {
  const path = parseJsonPath(type.custom?.scale?.specReplicasPath ?? '.spec.replicas') ?? [];
  return withValueAt(structuredClone(object), path, replicas) as KubeObject;
}

/** What the scaled object says of its replicas, and how their pods are selected. */
function facts(type: ServedResource, object: KubeObject): { spec: number; status: number; selector: string } {
  if (!type.custom?.scale) {
    return {
      spec: numberAt(object.spec, 'replicas') ?? 0,
      status: numberAt(object.status, 'replicas') ?? 0,
      selector: requirementsOf(object.spec?.['selector']).join(','),
    };
  }
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = type.custom.scale;
  const at = (path: string | undefined) =>
    path === undefined ? undefined : findByPath(object, parseJsonPath(path) ?? [])[0];
  const [spec, status, selector] = [specReplicasPath, statusReplicasPath, labelSelectorPath].map(at);
  return {
    spec: typeof spec === 'number' ? spec : 0,
    status: typeof status === 'number' ? status : 0,
    selector: typeof selector === 'string' ? selector : '',
  };
}

function scaleOf(type: ServedResource, object: KubeObject): Record<string, unknown> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const { spec, status, selector } = facts(type, object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec },
    status: { replicas: status, ...(selector === '' ? {} : { selector }) },
  };
}
