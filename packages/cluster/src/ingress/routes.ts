import type { Ingress, IngressBackend, IngressClass, IngressPath } from '../kinds/network.ts';
import { readAnnotations } from './annotations.ts';
import type { AnnotationNote } from './annotations.ts';
import { compilePath } from './path-pattern.ts';
import type { PathPattern } from './path-pattern.ts';
import type { RouteSettings } from './settings.ts';

export const CLASS_CONTROLLER = 'updraft.dev/ingress';
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

/** One way from a host and a path to a Service. */
export interface Route {
  readonly namespace: string;
  readonly backend: IngressBackend;
  readonly host: string;
  readonly path: string;
  readonly exact: boolean;
  readonly pattern: PathPattern | undefined;
  readonly settings: RouteSettings;
}

export type Found = Pick<Route, 'namespace' | 'backend' | 'settings' | 'pattern'>;

/** All routes, ready to be asked. */
export interface RouteTable {
  /** Where a request goes; undefined: nowhere. `host` without port, in any case; `path` without query. */
  find(host: string, path: string): Found | undefined;
}

/** Whether this cluster's ingress serves it: no class, or one whose controller is ours. */
export function isOurs(ingress: Ingress, classes: readonly IngressClass[]): boolean {
  const name = ingress.spec.ingressClassName ?? ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (name === undefined) return true;
  return classes.some(({ metadata, spec }) => metadata.name === name && spec.controller === CLASS_CONTROLLER);
}

const trimSlash = (path: string) => (path.length > 1 ? path.replace(/\/+$/, '') || '/' : path);

const META_CHARACTERS = /[()[\]{}*+?^$|\\]/;

/** nginx takes paths for regular expressions where an annotation says so, or where a rewrite needs their groups. */
function isPattern({ path = '/', pathType }: IngressPath, settings: RouteSettings): boolean {
  if (pathType === 'Exact') return false;
  if (settings.useRegex) return true;
  if (settings.rewriteTarget === undefined) return false;
  return pathType === 'ImplementationSpecific' || META_CHARACTERS.test(path);
}

/** A path that is no regular expression is taken as it is; undefined: it cannot be served. */
function routeOf(
  ingress: Ingress,
  settings: RouteSettings,
  place: { host: string; entry: IngressPath },
): Route | undefined {
  const { path = '/', pathType, backend } = place.entry;
  const exact = pathType === 'Exact';
  const pattern = isPattern(place.entry, settings) ? compilePath(path) : undefined;
  if (typeof pattern === 'string') return undefined;
  return {
    namespace: ingress.metadata.namespace ?? 'default',
    backend,
    host: place.host.toLowerCase(),
    path: exact || pattern ? path : trimSlash(path),
    exact,
    pattern,
    settings,
  };
}

/** What of an Ingress is not served as it is written. */
export function notesOf(ingress: Ingress): readonly AnnotationNote[] {
  const { settings, notes } = readAnnotations(ingress);
  const paths = (ingress.spec.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  const broken = paths.flatMap((entry) => {
    const pattern = isPattern(entry, settings) ? compilePath(entry.path ?? '/') : undefined;
    return typeof pattern === 'string' ? [{ annotation: `path ${entry.path}`, why: pattern }] : [];
  });
  return [...notes, ...broken];
}

/** Of two ingresses that claim the same, the older one has it. */
export const byAge = (a: Ingress, b: Ingress) =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp);

/** Longest path first; of equal ones the exact one. Stable, so that age decides the rest. */
const bySpecificity = (a: Route, b: Route) =>
  b.path.length - a.path.length || Number(b.exact) - Number(a.exact);

function routesOf(ingress: Ingress, settings: RouteSettings): Route[] {
  return (ingress.spec.rules ?? []).flatMap(({ host = '', http }) =>
    [host, ...(host === '' ? [] : settings.aliases)].flatMap((name) =>
      (http?.paths ?? []).flatMap((entry) => routeOf(ingress, settings, { host: name, entry }) ?? []),
    ),
  );
}

export function routeTable(ingresses: readonly Ingress[]): RouteTable {
  const sorted = ingresses
    .toSorted(byAge)
    .map((ingress) => ({ ingress, settings: readAnnotations(ingress).settings }));
  const byHost = groupByHost(sorted.flatMap(({ ingress, settings }) => routesOf(ingress, settings)));
  for (const group of byHost.values()) group.sort(bySpecificity);
  const last = sorted.find(({ ingress }) => ingress.spec.defaultBackend);
  return {
    find: (host, path) => {
      const name = host.toLowerCase();
      for (const key of [name, wildcardOf(name), '']) {
        const route = byHost.get(key)?.find((one) => matches(one, path));
        if (route) return route;
      }
      const backend = last?.ingress.spec.defaultBackend;
      if (!last || !backend) return undefined;
      const namespace = last.ingress.metadata.namespace ?? 'default';
      return { namespace, backend, settings: last.settings, pattern: undefined };
    },
  };
}

function groupByHost(routes: readonly Route[]): Map<string, Route[]> {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const group = groups.get(route.host);
    if (group) group.push(route);
    else groups.set(route.host, [route]);
  }
  return groups;
}

/** A wildcard stands for exactly one label. */
export function wildcardOf(host: string): string {
  const dot = host.indexOf('.');
  return dot < 0 ? '*' : `*${host.slice(dot)}`;
}

function matches({ path, exact, pattern }: Route, asked: string): boolean {
  if (pattern) return pattern.matches(asked);
  if (exact) return asked === path;
  if (path === '/') return true;
  return asked === path || asked.startsWith(`${path}/`);
}
