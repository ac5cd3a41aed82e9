/** Which paths there are and what they take. The router, 405, OPTIONS and the parser's own refusals all ask here. */
export const ENDPOINTS: readonly {
  readonly pattern: RegExp;
  readonly route: string;
  readonly allow: string;
}[] = [
  { pattern: /^\/addresses\/?$/, route: '/addresses', allow: 'GET, HEAD, POST, OPTIONS' },
  {
    pattern: /^\/addresses\/[a-zA-Z0-9-]+\/?$/,
    route: '/addresses/:id',
    allow: 'GET, HEAD, PUT, DELETE, OPTIONS',
  },
  { pattern: /^\/livez$/, route: '/livez', allow: 'GET, HEAD, OPTIONS' },
  { pattern: /^\/readyz$/, route: '/readyz', allow: 'GET, HEAD, OPTIONS' },
  { pattern: /^\/openapi\.json$/, route: '/openapi.json', allow: 'GET, HEAD, OPTIONS' },
  { pattern: /^\/docs$/, route: '/docs', allow: 'GET, HEAD, OPTIONS' },
];

export const ALL_METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';

export interface Endpoint {
  readonly route: string;
  /** The Allow header. */
  readonly allow: string;
}

/** The path of a request target as it was sent, without query; absolute-form loses its scheme and host. */
export function pathOf(target: string): string {
  const path = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
  const end = path.search(/[?#]/);
  const bare = end === -1 ? path : path.slice(0, end);
  return bare === '' ? '/' : bare;
}

/** Percent-encoded spellings are other paths here: nothing is decoded. */
export function findEndpoint(path: string): Endpoint | undefined {
  return ENDPOINTS.find(({ pattern }) => pattern.test(path));
}
