import { timestamp } from '@updraft/kit';
import type { KubeObject } from '../store/types.ts';
import { admitUpdate } from './admission/admit.ts';
import { numberAt, textAt } from './admission/members.ts';
import type { Answer, ApiContext } from './context.ts';
import { trackUpdate } from './fields/managed-fields.ts';
import { patched } from './patch.ts';
import { decodeBody, writerOf } from './request.ts';
import type { ApiRequest } from './request.ts';
import { conform, isRecord } from './schema/conform.ts';
import { badRequest, methodNotAllowed } from './status.ts';
import { selectorText } from './tables/format.ts';
import { checkVersion, existing, store } from './write.ts';
import type { Named } from './write.ts';

const DEFINITION = 'io.k8s.api.autoscaling.v1.Scale';

/** GET, PUT and PATCH of `…/scale`. */
export function scale(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const before = existing(context, named);
  if (request.method === 'GET') return { code: 200, body: scaleOf(before) };
  if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed();
  const writer = writerOf(request, request.method === 'PUT' ? 'UpdateOptions' : 'PatchOptions');
  const value =
    request.method === 'PUT' ? decodeBody(request) : patched(scaleOf(before), request, DEFINITION);
  if (!isRecord(value)) throw badRequest('the object provided is unrecognized (must be of type Scale)');
  // Some clients write the name of the scaled kind here.
  const { object } = conform(DEFINITION, { ...value, kind: 'Scale', apiVersion: 'autoscaling/v1' }, 'Scale');
  const replicas = numberAt(object['spec'], 'replicas') ?? 0;
  const next = structuredClone(before);
  next.spec = { ...next.spec, replicas };
  next.metadata.resourceVersion = textAt(object['metadata'], 'resourceVersion') ?? '';
  checkVersion(named, before, next);
  const admitted = admitUpdate(context, named.type, { object: next, before });
  const time = timestamp(context.clock.now());
  const tracking = { manager: writer.manager, time, subresource: 'scale' };
  const after = trackUpdate(named.type, tracking, { before, after: admitted });
  return {
    code: 200,
    body: scaleOf(store(context, named.type, { object: after, before, dryRun: writer.dryRun })),
  };
}

function scaleOf(object: KubeObject): Record<string, unknown> {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object.spec, 'replicas') ?? 0 },
    status: {
      replicas: numberAt(object.status, 'replicas') ?? 0,
      selector: selectorText(object.spec?.['selector']),
    },
  };
}
