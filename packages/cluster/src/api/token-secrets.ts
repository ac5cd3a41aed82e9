import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { KubeObject, ResourceStore } from '../store/types.ts';
import { requestDeletion } from './deletion.ts';
import type { TokenIssuer } from './tokens.ts';

export const TOKEN_SECRET = 'kubernetes.io/service-account-token';
export const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

interface Context {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly tokens: TokenIssuer;
}

/**
 * Writes a token without an end into each Secret that asks for one of a service account, and takes the Secret away with
 * its account.
 * @param certificate PEM of who signs the API server's certificate
 * @returns stops it
 */
export function fillTokenSecrets(context: Context, certificate: string): () => void {
  const { store } = context;
  const fill = (secret: KubeObject) => fillSecret(context, secret, certificate);
  for (const secret of store.list('secrets')) fill(secret);
  return store.watch(({ resource, type, object }) => {
    if (resource === 'secrets' && type !== 'DELETED') fill(object);
    if (resource !== 'serviceaccounts' || type === 'MODIFIED') return;
    for (const secret of secretsOf(store, object)) {
      if (type === 'ADDED') fill(secret);
      else removeSecret(context, secret, object.metadata.uid);
    }
  });
}

const isAsking = (secret: KubeObject) => secret['type'] === TOKEN_SECRET;

function secretsOf(store: ResourceStore, { metadata }: KubeObject): KubeObject[] {
  return store
    .list('secrets', metadata.namespace)
    .filter((secret) => isAsking(secret) && secret.metadata.annotations?.[ACCOUNT_NAME] === metadata.name);
}

function fillSecret({ store, tokens }: Context, seen: KubeObject, certificate: string): void {
  const { namespace = '', name, annotations } = seen.metadata;
  const account =
    isAsking(seen) && store.get('serviceaccounts', namespace, annotations?.[ACCOUNT_NAME] ?? '');
  if (!account || isFilled(seen, account)) return;
  const boundTo = { kind: 'Secret', name, uid: seen.metadata.uid };
  const issued = tokens.issue({ namespace, serviceAccount: account.metadata.name, boundTo });
  if (!issued) return;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const content = {
    'ca.crt': base64(certificate),
    namespace: base64(namespace),
    token: base64(issued.token),
  };
  store.modify('secrets', namespace, name, (secret) => {
    if (secret.metadata.uid !== seen.metadata.uid || isFilled(secret, account)) return undefined;
    const marked = { ...secret.metadata.annotations, [ACCOUNT_UID]: account.metadata.uid };
    return {
      ...secret,
      metadata: { ...secret.metadata, annotations: marked },
      data: { ...(secret['data'] as object | undefined), ...content },
    };
  });
}

function isFilled(secret: KubeObject, account: KubeObject): boolean {
  const data = secret['data'] as Readonly<Record<string, string>> | undefined;
  return secret.metadata.annotations?.[ACCOUNT_UID] === account.metadata.uid && Boolean(data?.['token']);
}

function removeSecret(context: Context, secret: KubeObject, account: string): void {
  const { namespace, name, annotations } = secret.metadata;
  if (annotations?.[ACCOUNT_UID] !== account) return;
  try {
    requestDeletion(context, { resource: 'secrets', namespace, name });
  } catch (error) {
    // It went with something else.
    if (codeOf(error) !== 'API_REFUSED') throw error;
  }
}
