import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@updraft/kit';
import type { KubeObject, ObjectMeta } from '../../store/types.ts';
import { setDefaults } from '../admission/admit.ts';
import type { ApiContext } from '../context.ts';
import { conformCustom } from '../custom/conform.ts';
import { servedForm, storedForm, storedType } from '../forms.ts';
import { PatchProblem, applyJsonPatch } from '../patch/json-patch.ts';
import { checkShape } from '../request.ts';
import type { ServedResource } from '../resources.ts';
import { conform, isRecord } from '../schema/conform.ts';
import { ApiFault } from '../status.ts';
import { post } from './call.ts';
import type { Webhook } from './configuration.ts';
import { matchOf } from './matching.ts';
import type { Question } from './question.ts';
import { BadAnswer, internal, readVerdict, reviewText, reviewVersion } from './review.ts';
import type { Verdict } from './review.ts';

/** What webhooks are called with, and who hears their warnings. */
export interface Callers {
  readonly context: Pick<ApiContext, 'store' | 'kubelet' | 'clock' | 'logger'>;
  /** Aborted when the server ends. */
  readonly signal: AbortSignal;
  warn(text: string): void;
}

/**
 * Asks the mutating webhooks one after the other, each about what the one before has made of the object. Those that asked
 * for it are asked once more when another has changed the object after them.
 * @throws ApiFault
 */
export async function mutate(
  callers: Callers,
  webhooks: readonly Webhook[],
  question: Question,
): Promise<KubeObject | undefined> {
  let present = question;
  let asked = new Set<Webhook>();
  let again = new Set<Webhook>();
  const round = async (candidates: readonly Webhook[]) => {
    for (const webhook of candidates) {
      const seen = matchOf(callers.context.store, webhook, present);
      if (!seen) continue;
      const object = await mutateBy(callers, { webhook, seen }, present);
      if (object && !isDeepStrictEqual(object, present.object)) {
        again = new Set([...again, ...asked]);
        asked = new Set();
        present = { ...present, object };
      }
      if (webhook.reinvocationPolicy === 'IfNeeded') asked.add(webhook);
    }
  };
  await round(webhooks);
  if (again.size > 0) await round(webhooks.filter((webhook) => again.has(webhook)));
  return present.object;
}

/** Asks all validating webhooks at once. @throws ApiFault what the first of them says that does not allow it */
export async function validateBy(
  callers: Callers,
  webhooks: readonly Webhook[],
  question: Question,
): Promise<void> {
  const verdicts = webhooks.map(async (webhook) => {
    const seen = matchOf(callers.context.store, webhook, question);
    if (seen) await judged(callers, { webhook, seen, mutating: false }, question);
  });
  const ends = await Promise.allSettled(verdicts);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

interface Asking {
  readonly webhook: Webhook;
  /** As which resource it sees what is asked. */
  readonly seen: ServedResource;
}

/** What it makes of the object; undefined when it leaves it alone. */
async function mutateBy(
  callers: Callers,
  { webhook, seen }: Asking,
  question: Question,
): Promise<KubeObject | undefined> {
  const verdict = await judged(callers, { webhook, seen, mutating: true }, question);
  if (!verdict || verdict.patch.length === 0) return undefined;
  if (!question.object || question.operation === 'CONNECT') {
    const named = JSON.stringify(webhook.name);
    throw internal(
      `admission webhook ${named} attempted to modify the object, which is not supported for this operation`,
    );
  }
  try {
    return patched(seen, question, { object: question.object, patch: verdict.patch });
  } catch (error) {
    if (error instanceof ApiFault && error.status.code !== 400) throw error;
    throw internal(error instanceof PatchProblem ? error.message : messageOf(error));
  }
}

function patched(
  seen: ServedResource,
  question: Question,
  { object, patch }: { readonly object: KubeObject; readonly patch: readonly unknown[] },
): KubeObject {
  const { kind: own, type } = question;
  const shown = own ? object : servedForm(seen, object);
  const value = checkShape(applyJsonPatch(shown, patch));
  if (!isRecord(value)) throw new PatchProblem('the patch leaves no object');
  const { kind, apiVersion } = shown;
  if (value['kind'] !== kind || value['apiVersion'] !== apiVersion)
    throw new PatchProblem(`the patch makes another kind of object of a ${apiVersion}, Kind=${kind}`);
  if (own) return conform(own.definition ?? '', value, own.kind).object as KubeObject;
  const { object: whole } = seen.custom
    ? conformCustom(seen.custom, value, seen.kind)
    : conform(seen.definition, value, seen.kind);
  const result = storedForm(seen, whole as KubeObject);
  result.kind = type.kind;
  result.metadata = checkedMetadata(question, result.metadata, object.metadata);
  setDefaults(storedType(seen), result);
  return result;
}

function checkedMetadata(
  { operation }: Question,
  patchedOne: ObjectMeta | undefined,
  before: ObjectMeta,
): ObjectMeta {
  if (patchedOne?.namespace !== before.namespace)
    throw new PatchProblem('the patch takes the object to another namespace');
  if (operation !== 'CREATE' && patchedOne?.name !== before.name)
    throw new PatchProblem('the patch makes another object of it');
  // Who owns which field is kept by the server; a webhook has no say in it.
  const { managedFields: _dropped, ...metadata } = patchedOne ?? before;
  const { managedFields } = before;
  return managedFields ? { ...metadata, managedFields } : metadata;
}

/** @throws ApiFault when it does not allow it, or cannot be asked and must be; undefined when it need not be. */
async function judged(
  callers: Callers,
  asking: Asking & { readonly mutating: boolean },
  question: Question,
): Promise<Verdict | undefined> {
  const { webhook } = asking;
  const verdict = await called(callers, asking, question).catch((error: unknown) => {
    if (error instanceof ApiFault) throw error;
    const message = `failed calling webhook ${JSON.stringify(webhook.name)}: ${messageOf(error)}`;
    if (webhook.failurePolicy === 'Fail') throw internal(message);
    callers.context.logger.log('warn', 'a webhook could not be asked and need not be', { error: message });
    return undefined;
  });
  for (const text of verdict?.warnings ?? []) callers.warn(text);
  if (verdict?.refusal) throw verdict.refusal;
  return verdict;
}

async function called(
  { context, signal }: Callers,
  { webhook, seen, mutating }: Asking & { readonly mutating: boolean },
  question: Question,
): Promise<Verdict> {
  const uid = randomUUID();
  const version = reviewVersion(webhook);
  const { timeoutSeconds } = webhook;
  const late = new AbortController();
  const stop = context.clock.timer(timeoutSeconds * 1000, () =>
    late.abort(new Error('context deadline exceeded')),
  );
  try {
    const text = await post(context, {
      client: webhook.clientConfig,
      body: reviewText(question, uid, { seen, version }),
      timeoutSeconds,
      signal: AbortSignal.any([signal, late.signal]),
    });
    return readVerdict(text, { uid, version, webhook: webhook.name, mutating });
  } catch (error) {
    if (error instanceof ApiFault) throw error;
    const what = error instanceof BadAnswer ? 'received invalid webhook response' : 'failed to call webhook';
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  } finally {
    stop();
  }
}
