import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Target } from '../controllers/endpoints/targets.ts';
import { isSecure } from './headers.ts';
import type { Affinity } from './settings.ts';

/** What the cookie says: nothing that tells where the pod is. */
const idOf = ({ address, port }: Target) =>
  createHash('sha256').update(`${address}:${port}`).digest('hex').slice(0, 32);

/** The same targets, first the one that the client's cookie names. */
export function preferred(
  targets: readonly Target[],
  request: IncomingMessage,
  { cookie }: Affinity,
): readonly Target[] {
  const wanted = cookieOf(request, cookie);
  const found = wanted === undefined ? undefined : targets.find((target) => idOf(target) === wanted);
  return found ? [found, ...targets.filter((target) => target !== found)] : targets;
}

/** The header that makes the client stay; undefined: it stays already. */
export function stayWith(target: Target, request: IncomingMessage, affinity: Affinity): string | undefined {
  const id = idOf(target);
  if (cookieOf(request, affinity.cookie) === id) return undefined;
  const { cookie, path, maxAgeSeconds, sameSite, secure } = affinity;
  return [
    `${cookie}=${id}`,
    ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
    `Path=${path}`,
    ...(secure || isSecure(request) ? ['Secure'] : []),
    'HttpOnly',
    ...(sameSite === undefined ? [] : [`SameSite=${sameSite}`]),
  ].join('; ');
}

function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
