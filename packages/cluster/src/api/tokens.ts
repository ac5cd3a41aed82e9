import { createHash, createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Clock } from '@updraft/kit';
import type { ResourceStore } from '../store/types.ts';
import type { User } from './context.ts';
import { AUTHENTICATED, accountGroups, accountUser } from './service-account.ts';

export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Absent: it has no end of its own. */
  readonly expirationSeconds?: number;
  readonly audiences?: readonly string[];
  /** The token ends with this object. */
  readonly boundTo?: { readonly kind: string; readonly name: string; readonly uid: string };
}

/** Tokens of service accounts: JWTs signed by the cluster, valid while their account (and pod) lives. */
export interface TokenIssuer {
  /** @returns undefined when there is no such account. */
  issue(request: TokenRequest): IssuedToken | undefined;
  /**
   * Who holds this token; undefined when it is not ours, is meant for nobody of `audiences`, has run out, or its account
   * or what it is bound to is gone.
   * @param audiences default: this API server
   */
  review(token: string, audiences?: readonly string[]): TokenHolder | undefined;
  /** What others need to check the tokens themselves: an OpenID Connect discovery document, and the key it names. */
  readonly discovery: IssuerDiscovery;
}

export interface IssuerDiscovery {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly keys: Readonly<Record<string, unknown>>;
}

export interface IssuedToken {
  readonly token: string;
  /** Infinity when it has no end of its own. */
  readonly expiresAtMs: number;
  readonly audiences: readonly string[];
}

export interface TokenHolder extends User {
  /** Those asked for that the token is meant for. */
  readonly audiences: readonly string[];
}

const ISSUER = 'https://kubernetes.default.svc';
const ALGORITHM = 'ES256';

/** Where the API serves what others check tokens with. */
export const ISSUER_PATHS = {
  configuration: '/.well-known/openid-configuration',
  keys: '/openid/v1/jwks',
} as const;

interface Bound {
  readonly name: string;
  readonly uid: string;
}

interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly exp?: number;
  readonly aud: readonly string[];
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod?: Bound;
    readonly secret?: Bound;
    readonly node?: Bound;
  };
}

/** @param privateKey PEM of an EC P-256 key */
export function createTokenIssuer(
  privateKey: string,
  parts: { store: ResourceStore; clock: Clock },
): TokenIssuer {
  const { store, clock } = parts;
  const key = createPrivateKey(privateKey);
  const publicKey = createPublicKey(privateKey);
  const kid = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const header = encode({ alg: ALGORITHM, kid });
  return {
    issue(request) {
      const account = store.get('serviceaccounts', request.namespace, request.serviceAccount);
      if (!account) return undefined;
      const now = Math.floor(clock.now() / 1000);
      const { boundTo, audiences = [ISSUER], expirationSeconds = Number.POSITIVE_INFINITY } = request;
      const expires = now + expirationSeconds;
      const bound = boundTo ? { [boundTo.kind.toLowerCase()]: { name: boundTo.name, uid: boundTo.uid } } : {};
      const payload = encode({
        aud: audiences,
        ...(Number.isFinite(expires) ? { exp: expires } : {}),
        iat: now,
        nbf: now,
        iss: ISSUER,
        jti: randomUUID(),
        sub: accountUser(request.namespace, request.serviceAccount),
        'kubernetes.io': {
          namespace: request.namespace,
          serviceaccount: { name: request.serviceAccount, uid: account.metadata.uid },
          ...bound,
        },
      });
      const signature = sign('sha256', Buffer.from(`${header}.${payload}`), {
        key,
        dsaEncoding: 'ieee-p1363',
      });
      return {
        token: `${header}.${payload}.${signature.toString('base64url')}`,
        expiresAtMs: expires * 1000,
        audiences,
      };
    },
    review(token, audiences = [ISSUER]) {
      const [first = '', payload = '', signature = '', ...rest] = token.split('.');
      if (first !== header || rest.length > 0) return undefined;
      const options = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      const signed = Buffer.from(`${first}.${payload}`);
      if (!verify('sha256', signed, options, Buffer.from(signature, 'base64url'))) return undefined;
      // It is ours from here on: its claims have the shape that `issue` gives them.
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
      const meant = audiences.filter((audience) => claims.aud.includes(audience));
      const holder = meant.length > 0 ? holderOf(claims, store, clock) : undefined;
      return holder && { ...holder, audiences: meant };
    },
    discovery: discoveryOf(publicKey, kid),
  };
}

function discoveryOf(publicKey: KeyObject, kid: string): IssuerDiscovery {
  return {
    configuration: {
      issuer: ISSUER,
      jwks_uri: `${ISSUER}${ISSUER_PATHS.keys}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ALGORITHM],
    },
    keys: { keys: [{ use: 'sig', kid, alg: ALGORITHM, ...publicKey.export({ format: 'jwk' }) }] },
  };
}

function holderOf(claims: Claims, store: ResourceStore, clock: Clock): User | undefined {
  if (claims.exp !== undefined && claims.exp * 1000 <= clock.now()) return undefined;
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io'];
  if (store.get('serviceaccounts', namespace, serviceaccount.name)?.metadata.uid !== serviceaccount.uid) {
    return undefined;
  }
  const isGone = (resource: string, bound: Bound | undefined, space?: string) =>
    bound !== undefined && store.get(resource, space, bound.name)?.metadata.uid !== bound.uid;
  if (isGone('pods', pod, namespace) || isGone('secrets', secret, namespace) || isGone('nodes', node)) {
    return undefined;
  }
  const groups = [...accountGroups(namespace), AUTHENTICATED];
  return { name: claims.sub, uid: serviceaccount.uid, groups };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
