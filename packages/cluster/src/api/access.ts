import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { ApiContext, User } from './context.ts';
import { demand } from './authorization/guard.ts';
import { impersonated } from './authorization/impersonation.ts';
import { AUTHENTICATED } from './service-account.ts';
import { ApiFault } from './status.ts';
import type { TokenIssuer } from './tokens.ts';

/** Who sent this, by client certificate or bearer token; undefined: nobody we know. */
function authenticate(message: IncomingMessage, tokens: TokenIssuer): User | undefined {
  const [scheme = '', token = ''] = (message.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return tokens.review(token);
  const socket = message.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const known = certified.get(socket) ?? readCertificate(socket);
  if (known) certified.set(socket, known);
  return known;
}

/** A connection has one certificate for all its requests, and reading it costs as much as a small request. */
const certified = new WeakMap<TLSSocket, User>();

function readCertificate(socket: TLSSocket): User | undefined {
  const subject = socket.getPeerCertificate().subject as
    | { readonly CN?: string | string[]; readonly O?: string | string[] }
    | undefined;
  if (typeof subject?.CN !== 'string') return undefined;
  return { name: subject.CN, groups: [...[subject.O ?? []].flat(), AUTHENTICATED] };
}

/**
 * Whom a request counts as: who sent it, or whom that one is allowed to act as.
 * @throws ApiFault 401, 403
 */
export function identify(context: ApiContext, message: IncomingMessage): User {
  const user = authenticate(message, context.tokens);
  if (!user) throw new ApiFault(401, 'Unauthorized', 'Unauthorized');
  const other = impersonated(message, user);
  for (const need of other?.needs ?? []) demand(context.authorizer, need);
  return other?.as ?? user;
}
