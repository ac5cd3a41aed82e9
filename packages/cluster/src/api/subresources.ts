import { timestamp } from '@updraft/kit';
import { charged, judgeEviction } from '../controllers/disruption/eviction.ts';
import { typedObjects } from '../kinds/objects.ts';
import type { Pod } from '../kinds/pod.ts';
import { numberAt, recordAt, textAt } from './admission/members.ts';
import type { Answer, ApiContext } from './context.ts';
import { requestDeletion } from './deletion.ts';
import { toOptions } from './delete.ts';
import { decodeBody } from './request.ts';
import type { ApiRequest } from './request.ts';
import { isRecord } from './schema/conform.ts';
import { ApiFault, badRequest, conflict, notFound } from './status.ts';
import { existing } from './write.ts';
import type { Named } from './write.ts';

function bodyOf(request: ApiRequest): Record<string, unknown> {
  const body = decodeBody(request);
  if (!isRecord(body)) throw badRequest('the object provided is unrecognized');
  return body;
}

/** POST to `pods/NAME/eviction`. @throws ApiFault 429 when a disruption budget does not allow it now, 500 when two apply */
export function evict(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const pod = existing(context, named);
  const options = toOptions(recordAt(bodyOf(request), 'deleteOptions'));
  const objects = typedObjects(context.store);
  const budgets = objects.list('poddisruptionbudgets.policy', named.namespace);
  const verdict = judgeEviction(pod as unknown as Pod, budgets);
  if (verdict.kind === 'ambiguous') {
    const message =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new ApiFault(500, 'InternalError', `Internal error occurred: ${message}`);
  }
  if (verdict.kind === 'refused') {
    const words = "Cannot evict pod as it would violate the pod's disruption budget.";
    const causes = [{ reason: 'DisruptionBudget', message: verdict.why }];
    throw new ApiFault(429, 'TooManyRequests', words, { causes });
  }
  if (!options.dryRun) {
    if (verdict.kind === 'granted') {
      objects.modify(
        'poddisruptionbudgets.policy',
        named.namespace,
        verdict.budget.metadata.name,
        (budget) => {
          budget.status = charged(budget.status, named.name, timestamp(context.clock.now()));
        },
      );
    }
    requestDeletion(context, { resource: 'pods', namespace: named.namespace, name: named.name }, options);
  }
  return {
    code: 201,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
}

const DEFAULT_TOKEN_SECONDS = 3600;
const SHORTEST_TOKEN_SECONDS = 600;

/** POST to `serviceaccounts/NAME/token`. */
export function issueToken(context: ApiContext, request: ApiRequest, named: Named): Answer {
  existing(context, named);
  const body = bodyOf(request);
  const spec = recordAt(body, 'spec');
  const seconds = numberAt(spec, 'expirationSeconds') ?? DEFAULT_TOKEN_SECONDS;
  if (seconds < SHORTEST_TOKEN_SECONDS) {
    const words = `spec.expirationSeconds: Invalid value: ${seconds}: may not specify a duration less than 10 minutes`;
    throw new ApiFault(422, 'Invalid', `TokenRequest.authentication.k8s.io "" is invalid: ${words}`);
  }
  const audiences = spec['audiences'];
  const bound = boundObject(context, recordAt(spec, 'boundObjectRef'), named.namespace ?? '');
  const issued = context.tokens.issue({
    namespace: named.namespace ?? '',
    serviceAccount: named.name,
    expirationSeconds: seconds,
    ...(Array.isArray(audiences) && audiences.length > 0 ? { audiences: audiences.map(String) } : {}),
    ...(bound ? { boundTo: bound } : {}),
  });
  if (!issued) throw notFound(named.type, named.name);
  const status = { token: issued.token, expirationTimestamp: timestamp(issued.expiresAtMs) };
  const metadata = {
    name: named.name,
    namespace: named.namespace,
    creationTimestamp: timestamp(context.clock.now()),
  };
  const whole = { ...spec, expirationSeconds: seconds };
  return {
    code: 201,
    body: { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata, spec: whole, status },
  };
}

function boundObject(context: ApiContext, reference: Record<string, unknown>, namespace: string) {
  const name = textAt(reference, 'name');
  if (textAt(reference, 'kind') !== 'Pod' || !name) return undefined;
  const pod = context.store.get('pods', namespace, name);
  if (!pod) throw notFound({ group: '', plural: 'pods', kind: 'Pod' }, name);
  return { kind: 'Pod', name, uid: pod.metadata.uid };
}

/** POST of a Binding: puts a pod on a node. */
export function bind(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const pod = existing(context, named);
  const node = textAt(recordAt(bodyOf(request), 'target'), 'name');
  if (!node) throw badRequest('target.name is required');
  if (pod.spec?.['nodeName']) {
    throw conflict(
      named.type,
      named.name,
      `pod ${named.name} is already assigned to node "${textAt(pod.spec, 'nodeName') ?? ''}"`,
    );
  }
  context.store.modify('pods', named.namespace, named.name, (object) => ({
    ...object,
    spec: { ...object.spec, nodeName: node },
  }));
  return {
    code: 201,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
}

/** PUT to `namespaces/NAME/finalize`: only the finalizers of the specification are taken. */
export function finalize(context: ApiContext, request: ApiRequest, named: Named): Answer {
  existing(context, named);
  const finalizers = recordAt(bodyOf(request), 'spec')['finalizers'] ?? [];
  const after = context.store.modify('namespaces', undefined, named.name, (object) => ({
    ...object,
    spec: { ...object.spec, finalizers },
  }));
  return { code: 200, body: after };
}
