import { timestamp } from '@updraft/kit';
import { numberAt, recordsAt, textAt } from '../api/admission/members.ts';
import type { Credentials } from '../api/credentials.ts';
import type { KeyPair } from '../api/certificates.ts';
import { SIGNING_REQUESTS } from '../api/signing/request.ts';
import type { KubeObject } from '../store/types.ts';
import type { Controller, ControllerContext } from './controller.ts';
import type { Again } from './work-queue.ts';

/** The only one that this cluster is: of certificates by which clients come to the API. */
const SIGNER = 'kubernetes.io/kube-apiserver-client';
const NEEDED_USAGE = 'client auth';
const ENCIPHERS = 'key encipherment';
const ALLOWED_USAGES = new Set([NEEDED_USAGE, ENCIPHERS, 'digital signature']);
/** Its members may do everything, and nobody could take that back. */
const REFUSED_GROUP = 'system:masters';
const HOUR_MS = 3600 * 1000;
const LONGEST_MS = 365 * 24 * HOUR_MS;
/** How long a request is kept that nobody decided, and one that was dealt with. */
const KEPT_MS = { pending: 24 * HOUR_MS, decided: HOUR_MS };

/** Signs approved requests for client certificates, and takes old requests away. */
export function signingController(
  context: ControllerContext,
  { ca, caKey }: Pick<Credentials, 'ca' | 'caKey'>,
): Controller {
  const { store } = context.objects;
  return {
    name: 'signing-requests',
    resources: [SIGNING_REQUESTS],
    keys: ({ object }) => [object.metadata.name],
    reconcile: async (name) => {
      const request = store.get(SIGNING_REQUESTS, undefined, name);
      if (!request) return undefined;
      if (isToBeSigned(request)) await sign(context, { certificate: ca, key: caKey }, request);
      return expire(context, request);
    },
  };
}

const has = (request: KubeObject, type: string) =>
  recordsAt(request.status, 'conditions').some((condition) => condition['type'] === type);

function isToBeSigned(request: KubeObject): boolean {
  const isOpen = has(request, 'Approved') && !has(request, 'Denied') && !has(request, 'Failed');
  return isOpen && textAt(request.spec, 'signerName') === SIGNER && !textAt(request.status, 'certificate');
}

async function sign(context: ControllerContext, authority: KeyPair, request: KubeObject): Promise<void> {
  const { clock } = context;
  const usages = (request.spec?.['usages'] ?? []) as readonly string[];
  const asked = numberAt(request.spec, 'expirationSeconds');
  const terms = {
    nowMs: clock.now(),
    lastsMs: Math.min(LONGEST_MS, asked === undefined ? LONGEST_MS : asked * 1000),
    enciphers: usages.includes(ENCIPHERS),
    refusedGroup: REFUSED_GROUP,
  };
  const isAllowed = usages.includes(NEEDED_USAGE) && usages.every((usage) => ALLOWED_USAGES.has(usage));
  if (!isAllowed) return fail(context, request, `usages must be ${NEEDED_USAGE} and what goes with it`);
  // Loaded only to issue: it costs more time than the rest of a start.
  const { loadAuthority } = await import('../api/certificates.ts');
  const pem = Buffer.from(textAt(request.spec, 'request') ?? '', 'base64').toString('utf8');
  const signed = await (await loadAuthority(authority)).signClient(pem, terms);
  if ('refused' in signed) return fail(context, request, signed.refused);
  const certificate = Buffer.from(signed.certificate).toString('base64');
  change(context, request, (status) => ({ ...status, certificate }));
}

function fail(context: ControllerContext, request: KubeObject, message: string): void {
  const time = timestamp(context.clock.now());
  const failed = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: time,
    lastTransitionTime: time,
  };
  change(context, request, (status) => ({
    ...status,
    conditions: [...recordsAt(status, 'conditions'), failed],
  }));
}

type Status = Record<string, unknown>;

function change(
  { objects: { store } }: ControllerContext,
  { metadata }: KubeObject,
  next: (status: Status) => Status,
): void {
  store.modify(SIGNING_REQUESTS, undefined, metadata.name, (stored) =>
    // Another one of the same name was not approved.
    stored.metadata.uid === metadata.uid ? { ...stored, status: next(stored.status ?? {}) } : undefined,
  );
}

function expire({ clock, deletion }: ControllerContext, request: KubeObject): Again {
  const { name, uid, creationTimestamp } = request.metadata;
  const decided = recordsAt(request.status, 'conditions').map((each) => textAt(each, 'lastUpdateTime') ?? '');
  const times = decided.length > 0 ? decided : [creationTimestamp];
  const sinceMs = Math.max(...times.map((time) => Date.parse(time) || 0));
  const restMs = sinceMs + (decided.length > 0 ? KEPT_MS.decided : KEPT_MS.pending) - clock.now();
  if (restMs > 0) return { afterMs: restMs };
  deletion.delete(SIGNING_REQUESTS, undefined, name, { uid });
  return undefined;
}
