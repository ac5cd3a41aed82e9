import { isRecord } from '../schema/conform.ts';
import { servedForm } from '../forms.ts';
import type { ServedResource } from '../resources.ts';
import { ApiFault } from '../status.ts';
import type { StatusDetails } from '../status.ts';
import type { KubeObject } from '../../store/types.ts';
import type { Webhook } from './configuration.ts';
import type { Question } from './question.ts';

const GROUP = 'admission.k8s.io';
const KIND = 'AdmissionReview';

/** What a webhook has said. */
export interface Verdict {
  /** undefined: it allows it. */
  readonly refusal: ApiFault | undefined;
  /** A JSON patch, of mutating webhooks only. */
  readonly patch: readonly unknown[];
  readonly warnings: readonly string[];
}

/** An answer that is none; its message says why. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** The version of reviews that both sides know. */
export const reviewVersion = ({ admissionReviewVersions }: Webhook) =>
  admissionReviewVersions.find((version) => version === 'v1' || version === 'v1beta1') ?? 'v1';

/** The body of the request to a webhook that wants to see `seen`. */
export function reviewText(
  question: Question,
  uid: string,
  { seen, version }: { readonly seen: ServedResource; readonly version: string },
): string {
  const { type, subresource, name, operation, user } = question;
  const show = (object: KubeObject | undefined) =>
    object === undefined ? null : question.kind ? object : servedForm(seen, object);
  const part = subresource === undefined ? {} : { subResource: subresource, requestSubResource: subresource };
  const namespace = type.storedAs === 'namespaces' ? name : question.namespace;
  const request = {
    uid,
    kind: kindOf(question, seen),
    resource: resourceOf(seen),
    requestKind: kindOf(question, type),
    requestResource: resourceOf(type),
    ...part,
    ...(name === '' ? {} : { name }),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: { username: user.name, ...(user.uid ? { uid: user.uid } : {}), groups: user.groups },
    object: show(question.object),
    oldObject: show(question.before),
    dryRun: question.dryRun,
    options: question.options,
  };
  return JSON.stringify({ kind: KIND, apiVersion: `${GROUP}/${version}`, request });
}

function kindOf({ kind: own }: Question, type: ServedResource) {
  const { group, version, kind } = own ?? type;
  return { group, version, kind };
}

const resourceOf = ({ group, version, plural }: ServedResource) => ({ group, version, resource: plural });

interface Expected {
  readonly uid: string;
  readonly version: string;
  readonly webhook: string;
  readonly mutating: boolean;
}

/** @throws BadAnswer */
export function readVerdict(text: string, expected: Expected): Verdict {
  const review = parsed(text);
  const { response } = review;
  if (!isRecord(response)) throw new BadAnswer('webhook response was absent');
  if (expected.version === 'v1') checkEnvelope(review, response, expected);
  const status = response['status'];
  if (typeof response['allowed'] !== 'boolean' && response['allowed'] !== undefined)
    throw new BadAnswer('response.allowed is no boolean');
  if (status !== undefined && status !== null && !isRecord(status))
    throw new BadAnswer('response.status is no object');
  return {
    refusal: response['allowed'] === true ? undefined : refusalOf(expected.webhook, status ?? {}),
    patch: expected.mutating ? patchOf(response) : [],
    warnings: textsOf(response['warnings']),
  };
}

function parsed(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadAnswer('the answer is no JSON');
  }
  if (!isRecord(value)) throw new BadAnswer('the answer is no object');
  return value;
}

function checkEnvelope(
  review: Record<string, unknown>,
  response: Record<string, unknown>,
  { uid, mutating }: Expected,
): void {
  const given = response['uid'] ?? '';
  if (given !== uid)
    throw new BadAnswer(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`);
  const [apiVersion, kind] = [textOf(review['apiVersion']), textOf(review['kind'])];
  if (apiVersion !== `${GROUP}/v1` || kind !== KIND) {
    const named = `${apiVersion}, Kind=${kind}`;
    throw new BadAnswer(`expected webhook response of ${GROUP}/v1, Kind=${KIND}, got ${named}`);
  }
  checkPatch(response, mutating);
}

/** The two go together, and only where something can be changed. */
function checkPatch(response: Record<string, unknown>, mutating: boolean): void {
  const hasPatch = Boolean(response['patch']);
  const hasType = response['patchType'] !== undefined && response['patchType'] !== null;
  const forbidden = hasPatch ? 'patch' : hasType ? 'patchType' : undefined;
  if (!mutating && forbidden) throw new BadAnswer(`validating webhook may not return response.${forbidden}`);
  if (hasPatch && !hasType) throw new BadAnswer('webhook returned response.patch but not response.patchType');
  if (hasType && !hasPatch) throw new BadAnswer('webhook returned response.patchType but not response.patch');
  if (hasType && response['patchType'] !== 'JSONPatch')
    throw new BadAnswer(`unsupported patch type ${JSON.stringify(response['patchType'])}`);
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
const textsOf = (value: unknown) =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

function patchOf({ patch }: Record<string, unknown>): readonly unknown[] {
  if (patch === undefined || patch === null || patch === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(textOf(patch), 'base64').toString('utf8'));
  } catch {
    value = undefined;
  }
  // Not a failed call: the webhook has answered, with something that cannot be done.
  if (!Array.isArray(value)) throw internal('the patch of a webhook is no JSON patch in base64');
  return value;
}

/** What went wrong in here or in what a webhook wants; no failure policy lets it pass. */
export function internal(message: string): ApiFault {
  const causes = [{ message }];
  return new ApiFault(500, 'InternalError', `Internal error occurred: ${message}`, { causes });
}

const LOWEST_REFUSAL = 400;
const HIGHEST_CODE = 599;

function refusalOf(webhook: string, status: Record<string, unknown>): ApiFault {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const [message, reason] = [textOf(status['message']), textOf(status['reason'])];
  const given = status['code'];
  const isCode = Number.isInteger(given) && (given as number) >= LOWEST_REFUSAL;
  const code = isCode ? Math.min(given as number, HIGHEST_CODE) : LOWEST_REFUSAL;
  const words = message || reason;
  const details = isRecord(status['details']) ? (status['details'] as StatusDetails) : undefined;
  return new ApiFault(code, reason, words ? `${denied}: ${words}` : `${denied} without explanation`, details);
}
