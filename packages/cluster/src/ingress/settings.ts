import type { BlockList } from 'node:net';

/** What an Ingress's annotations ask for, read and checked. */
export interface RouteSettings {
  /** Send http on to https when the host has a certificate. */
  readonly sslRedirect: boolean;
  /** Also when it has none. */
  readonly forceSslRedirect: boolean;
  readonly useRegex: boolean;
  readonly rewriteTarget: string | undefined;
  readonly redirect: { readonly code: number; readonly to: string } | undefined;
  readonly appRoot: string | undefined;
  /** undefined: any. */
  readonly maxBodyBytes: number | undefined;
  readonly connectTimeoutMs: number;
  /** Between two reads from the pod. */
  readonly readTimeoutMs: number;
  /** Between two writes to the pod. */
  readonly sendTimeoutMs: number;
  readonly protocol: 'http' | 'https' | 'unsupported';
  readonly affinity: Affinity | undefined;
  readonly cors: Cors | undefined;
  readonly allowed: BlockList | undefined;
  readonly denied: BlockList | undefined;
  readonly basicAuth: BasicAuth | undefined;
  readonly limit: Limit | undefined;
  readonly upstreamHost: string | undefined;
  readonly forwardedPrefix: string | undefined;
  /** More names for every host of the rules. */
  readonly aliases: readonly string[];
}

export interface Affinity {
  readonly cookie: string;
  readonly path: string;
  readonly maxAgeSeconds: number | undefined;
  readonly sameSite: string | undefined;
  readonly secure: boolean;
}

export interface Cors {
  /** `*`, or origins, in which `*` may stand for a label. */
  readonly origins: readonly string[];
  readonly methods: string;
  readonly headers: string;
  readonly exposed: string;
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface BasicAuth {
  readonly namespace: string;
  readonly secret: string;
  readonly realm: string;
  /** A key of the Secret is a user; else its key `auth` is an htpasswd file. */
  readonly isMap: boolean;
}

export interface Limit {
  readonly perSecond: number;
  readonly burst: number;
}

const DEFAULT_CONNECT_MS = 5000;
const DEFAULT_IDLE_MS = 60_000;

export const DEFAULT_SETTINGS: RouteSettings = {
  sslRedirect: true,
  forceSslRedirect: false,
  useRegex: false,
  rewriteTarget: undefined,
  redirect: undefined,
  appRoot: undefined,
  maxBodyBytes: undefined,
  connectTimeoutMs: DEFAULT_CONNECT_MS,
  readTimeoutMs: DEFAULT_IDLE_MS,
  sendTimeoutMs: DEFAULT_IDLE_MS,
  protocol: 'http',
  affinity: undefined,
  cors: undefined,
  allowed: undefined,
  denied: undefined,
  basicAuth: undefined,
  limit: undefined,
  upstreamHost: undefined,
  forwardedPrefix: undefined,
  aliases: [],
};
