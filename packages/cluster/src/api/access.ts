import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Answer, User } from './context.ts';
import { decodeBody } from './request.ts';
import type { ApiRequest } from './request.ts';
import { isRecord } from './schema/conform.ts';
import { ApiFault, badRequest } from './status.ts';
import type { TokenIssuer } from './tokens.ts';

const ADMINISTRATORS = 'system:masters';
const SERVICE_ACCOUNTS = 'system:serviceaccounts';

/** Who sent this, by client certificate or bearer token; undefined: nobody we know. */
export function authenticate(message: IncomingMessage, tokens: TokenIssuer): User | undefined {
  const [scheme = '', token = ''] = (message.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return tokens.review(token);
  const socket = message.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const subject = socket.getPeerCertificate().subject as
    | { readonly CN?: string | string[]; readonly O?: string | string[] }
    | undefined;
  if (typeof subject?.CN !== 'string') return undefined;
  return { name: subject.CN, groups: [...[subject.O ?? []].flat(), 'system:authenticated'] };
}

/**
 * Roles are kept but not acted upon: administrators and service accounts may do everything, others nothing.
 */
export function mayUse(user: User): boolean {
  return user.groups.includes(ADMINISTRATORS) || user.groups.includes(SERVICE_ACCOUNTS);
}

export function unauthorized(): ApiFault {
  return new ApiFault(401, 'Unauthorized', 'Unauthorized');
}

/** Questions about access: asked by POST, answered at once, kept nowhere. undefined: there is no such question. */
export function review(request: ApiRequest, plural: string, tokens: TokenIssuer): Answer | undefined {
  const answer = REVIEWS[plural];
  if (!answer) return undefined;
  const body = decodeBody(request);
  if (!isRecord(body)) throw badRequest('the object provided is unrecognized');
  return { code: 201, body: { ...body, status: answer(request, body, tokens) } };
}

type Review = (request: ApiRequest, body: Record<string, unknown>, tokens: TokenIssuer) => unknown;

const ALLOWED = { allowed: true, reason: 'this cluster does not restrict authenticated users' };
const EVERYTHING = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];

const REVIEWS: Readonly<Record<string, Review>> = {
  selfsubjectaccessreviews: () => ALLOWED,
  subjectaccessreviews: () => ALLOWED,
  localsubjectaccessreviews: () => ALLOWED,
  selfsubjectrulesreviews: () => ({
    resourceRules: EVERYTHING,
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  }),
  selfsubjectreviews: ({ user }) => ({ userInfo: infoOf(user) }),
  tokenreviews: (_request, body, tokens) => {
    const token = isRecord(body['spec']) ? body['spec']['token'] : undefined;
    const user = typeof token === 'string' ? tokens.review(token) : undefined;
    return user ? { authenticated: true, user: infoOf(user) } : { authenticated: false };
  },
};

function infoOf(user: User): unknown {
  return { username: user.name, ...(user.uid ? { uid: user.uid } : {}), groups: user.groups };
}
