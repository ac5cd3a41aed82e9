import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import { recordsAt, textAt } from '../admission/members.ts';
import type { Members } from '../admission/members.ts';
import { demand } from '../authorization/guard.ts';
import type { ApiContext, User } from '../context.ts';
import type { ApiRequest } from '../request.ts';
import type { Named } from '../write.ts';

/** The store's name of CertificateSigningRequests. */
export const SIGNING_REQUESTS = 'certificatesigningrequests.certificates.k8s.io';
/** The path of its own by which they are approved or denied. */
export const APPROVAL = 'approval';

const DECISIONS = new Set(['Approved', 'Denied']);

/** Who asks for a certificate is whoever sent the request, and nothing that it says of itself. */
export function stampRequester(object: KubeObject, user: User): void {
  const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...spec } = object.spec ?? {};
  const groups = user.groups.length > 0 ? { groups: [...user.groups] } : {};
  object.spec = {
    ...spec,
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...groups,
  };
}

/**
 * The status that a write may leave: by `approval` the conditions alone, by `status` all but the decisions.
 * @param time of conditions that are new
 */
export function nextStatus(
  subresource: string,
  change: { readonly object: KubeObject; readonly before: KubeObject },
  time: string,
): Members {
  const { object, before } = change;
  const given = recordsAt(object.status, 'conditions').map((one) => dated(one, before, time));
  if (subresource === APPROVAL) {
    const { conditions: _former, ...rest } = before.status ?? {};
    return { ...rest, ...listed(given) };
  }
  const decided = recordsAt(before.status, 'conditions').filter(isDecision);
  const { conditions: _conditions, ...status } = object.status ?? {};
  return { ...status, ...listed([...decided, ...given.filter((one) => !isDecision(one))]) };
}

const isDecision = (condition: Members) => DECISIONS.has(textAt(condition, 'type') ?? '');
const listed = (conditions: readonly Members[]) => (conditions.length > 0 ? { conditions } : {});

function dated(condition: Members, before: KubeObject, time: string): Members {
  const former = recordsAt(before.status, 'conditions').find(({ type }) => type === condition['type']);
  if (former && isDeepStrictEqual(former, condition)) return condition;
  return { lastTransitionTime: former?.['lastTransitionTime'] ?? time, lastUpdateTime: time, ...condition };
}

/**
 * Who approves needs the verb `approve` for the signer, who writes certificates the verb `sign`.
 * @throws ApiFault 403
 */
export function demandSigner(
  context: ApiContext,
  request: ApiRequest,
  { type, name, subresource }: Pick<Named, 'type' | 'name' | 'subresource'>,
): void {
  if (type.storedAs !== SIGNING_REQUESTS) return;
  const before = context.store.get(SIGNING_REQUESTS, undefined, name);
  const verb = subresource === APPROVAL ? 'approve' : subresource === 'status' ? 'sign' : undefined;
  const signer = textAt(before?.spec, 'signerName');
  if (verb === undefined || signer === undefined) return;
  const to = { group: 'certificates.k8s.io', resource: 'signers', namespace: undefined };
  const any = `${signer.split('/')[0]}/*`;
  if (context.authorizer.decide({ user: request.user, verb, to: { ...to, name: any } }).allowed) return;
  demand(context.authorizer, { user: request.user, verb, to: { ...to, name: signer } });
}
