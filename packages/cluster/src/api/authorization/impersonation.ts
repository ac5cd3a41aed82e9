import type { IncomingMessage } from 'node:http';
import type { User } from '../context.ts';
import { AUTHENTICATED, accountGroups } from '../service-account.ts';
import { badRequest } from '../status.ts';
import type { AccessRequest, ResourceAccess } from './access-request.ts';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * Whom the request wants to act as (`kubectl --as`), and what `user` must be allowed for that. undefined: as itself.
 * @throws ApiFault 400 for groups without a user, and for `Impersonate-Extra-*`, which nothing here could act on
 */
export function impersonated(
  message: IncomingMessage,
  user: User,
): { readonly as: User; readonly needs: readonly AccessRequest[] } | undefined {
  const values = (name: string) => message.headersDistinct[name] ?? [];
  const [name] = values('impersonate-user');
  const groups = values('impersonate-group');
  const [uid] = values('impersonate-uid');
  if (Object.keys(message.headersDistinct).some((header) => header.startsWith('impersonate-extra-')))
    throw badRequest('impersonating extra attributes is not supported by this cluster');
  if (!name) {
    if (groups.length > 0 || uid) throw badRequest('requested groups or uid without impersonating a user');
    return undefined;
  }
  const account = SERVICE_ACCOUNT.exec(name);
  const wanted: ResourceAccess[] = [
    account
      ? { group: '', resource: 'serviceaccounts', namespace: account[1], name: account[2] }
      : { group: '', resource: 'users', name },
    ...groups.map((group) => ({ group: '', resource: 'groups', name: group })),
    ...(uid ? [{ group: 'authentication.k8s.io', resource: 'uids', name: uid }] : []),
  ];
  const given = groups.length > 0 || !account ? groups : accountGroups(account[1] ?? '');
  return {
    as: { name, ...(uid ? { uid } : {}), groups: [...new Set([...given, AUTHENTICATED])] },
    needs: wanted.map((to) => ({ user, verb: 'impersonate', to })),
  };
}
