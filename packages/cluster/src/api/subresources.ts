import { timestamp } from '@updraft/kit';
import { withCondition } from '../controllers/conditions.ts';
import { charged, judgeEviction } from '../controllers/disruption/eviction.ts';
import { typedObjects } from '../kinds/objects.ts';
import type { Pod } from '../kinds/pod.ts';
import type { KubeObject } from '../store/types.ts';
import { numberAt, recordAt, textAt } from './admission/members.ts';
import type { Answer, ApiContext } from './context.ts';
import { requestDeletion } from './deletion.ts';
import { toOptions } from './delete.ts';
import { decodeBody, writerOf } from './request.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { conform, isRecord } from './schema/conform.ts';
import { ApiFault, badRequest, conflict, invalid, notFound } from './status.ts';
import type { Subject } from './status.ts';
import type { Passage } from './webhooks/gate.ts';
import { judgeChange } from './webhooks/judge.ts';
import { BINDING, EVICTION, TOKEN_REQUEST } from './webhooks/question.ts';
import type { OwnKind } from './webhooks/question.ts';
import { existing } from './write.ts';
import type { Named } from './write.ts';

function bodyOf(request: ApiRequest): Record<string, unknown> {
  const body = decodeBody(request);
  if (!isRecord(body)) throw badRequest('the object provided is unrecognized');
  return body;
}

/** What is sent to a subresource, as webhooks have left it. @throws Awaiting, ApiFault */
function judged(
  context: ApiContext,
  { type, subresource, namespace, name }: Named,
  { kind, body }: { readonly kind: OwnKind; readonly body: Record<string, unknown> },
): { readonly body: KubeObject; readonly passage: Passage | undefined } {
  const named = { metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
  const object = { ...named, ...body, apiVersion: apiVersionOf(kind), kind: kind.kind } as KubeObject;
  const change = { operation: 'CREATE', type, subresource, namespace, name, before: undefined } as const;
  const passage = context.gate?.enter({ ...change, kind, object });
  return { body: passage?.object ?? object, passage };
}

/** POST to `pods/NAME/eviction`. @throws ApiFault 429 when a disruption budget does not allow it now, 500 when two apply */
export function evict(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const pod = existing(context, named);
  const { body, passage } = judged(context, named, { kind: EVICTION, body: bodyOf(request) });
  const options = toOptions(recordAt(body, 'deleteOptions'));
  passage?.leave(body);
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
    noteEviction(context, named);
    requestDeletion(context, { resource: 'pods', namespace: named.namespace, name: named.name }, options);
  }
  return {
    code: 201,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
}

/** Whoever owns the pod can tell by this that it did not fail by itself. */
function noteEviction({ store, clock }: ApiContext, { namespace, name }: Named): void {
  const change = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  } as const;
  typedObjects(store).modify('pods', namespace, name, (pod) => {
    const conditions = withCondition(pod.status?.conditions, change, clock.now());
    pod.status = { ...pod.status, conditions: conditions.map(({ lastUpdateTime: _unused, ...one }) => one) };
  });
}

const DEFAULT_TOKEN_SECONDS = 3600;
const SHORTEST_TOKEN_SECONDS = 600;
const LONGEST_TOKEN_SECONDS = 2 ** 32;

/** POST to `serviceaccounts/NAME/token`. */
export function issueToken(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const account = existing(context, named);
  const { dryRun } = writerOf(request, 'CreateOptions');
  const asked = conform(TOKEN_REQUEST.definition ?? '', bodyOf(request), 'TokenRequest').object;
  const { body, passage } = judged(context, named, { kind: TOKEN_REQUEST, body: asked });
  const spec = recordAt(body, 'spec');
  const seconds = numberAt(spec, 'expirationSeconds') ?? DEFAULT_TOKEN_SECONDS;
  checkSeconds(seconds);
  const audiences = spec['audiences'];
  passage?.leave(body);
  const bound = boundObject(context, recordAt(spec, 'boundObjectRef'), named);
  const issued = context.tokens.issue({
    namespace: named.namespace ?? '',
    serviceAccount: account.metadata.name,
    expirationSeconds: seconds,
    ...(Array.isArray(audiences) && audiences.length > 0 ? { audiences: audiences.map(String) } : {}),
    ...(bound ? { boundTo: bound } : {}),
  });
  if (!issued) throw notFound(named.type, named.name);
  const token = dryRun ? '' : issued.token;
  const status = { token, expirationTimestamp: timestamp(issued.expiresAtMs) };
  const metadata = {
    name: named.name,
    namespace: named.namespace,
    creationTimestamp: timestamp(context.clock.now()),
  };
  const whole = { ...spec, audiences: issued.audiences, expirationSeconds: seconds };
  return {
    code: 201,
    body: { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata, spec: whole, status },
  };
}

function checkSeconds(seconds: number): void {
  const why =
    seconds < SHORTEST_TOKEN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : seconds > LONGEST_TOKEN_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (why === undefined) return;
  const message = `Invalid value: ${seconds}: ${why}`;
  const subject = { group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' };
  throw invalid(subject, '', [{ reason: 'FieldValueInvalid', field: 'spec.expirationSeconds', message }]);
}

const BINDABLE: Readonly<Record<string, Subject>> = {
  'v1/Pod': { group: '', plural: 'pods', kind: 'Pod' },
  'v1/Secret': { group: '', plural: 'secrets', kind: 'Secret' },
  'v1/Node': { group: '', plural: 'nodes', kind: 'Node' },
};

/** What the token ends with. @throws ApiFault 400, 404, 409 */
function boundObject(context: ApiContext, reference: Record<string, unknown>, named: Named) {
  const [apiVersion, kind] = [textAt(reference, 'apiVersion') ?? '', textAt(reference, 'kind')];
  if (kind === undefined) return undefined;
  const subject = BINDABLE[`${apiVersion || 'v1'}/${kind}`];
  if (!subject) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(named.name)} to object of type ${apiVersion}, Kind=${kind}`,
    );
  }
  const name = textAt(reference, 'name') ?? '';
  const namespace = kind === 'Node' ? undefined : named.namespace;
  const object = context.store.get(subject.plural, namespace, name);
  if (!object) throw notFound(subject, name);
  const uid = textAt(reference, 'uid');
  if (uid && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(subject, name, why);
  }
  return { kind, name, uid: object.metadata.uid };
}

/** POST of a Binding: puts a pod on a node. */
export function bind(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const pod = existing(context, named);
  const { body, passage } = judged(context, named, { kind: BINDING, body: bodyOf(request) });
  const node = textAt(recordAt(body, 'target'), 'name');
  if (!node) throw badRequest('target.name is required');
  if (pod.spec?.['nodeName']) {
    throw conflict(
      named.type,
      named.name,
      `pod ${named.name} is already assigned to node "${textAt(pod.spec, 'nodeName') ?? ''}"`,
    );
  }
  passage?.leave(body);
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
  const before = existing(context, named);
  const finalizers = recordAt(bodyOf(request), 'spec')['finalizers'] ?? [];
  const wanted = { ...before, spec: { ...before.spec, finalizers } };
  judgeChange(context, named, { object: wanted, before }).passage?.leave(wanted);
  const after = context.store.modify('namespaces', undefined, named.name, (object) => ({
    ...object,
    spec: { ...object.spec, finalizers },
  }));
  return { code: 200, body: after };
}
