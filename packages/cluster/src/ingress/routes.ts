import type { Ingress, IngressBackend, IngressClass, IngressPath } from '../kinds/network.ts';

export const CLASS_CONTROLLER = 'updraft.dev/ingress';
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

/** One way from a host and a path to a Service. */
export interface Route {
  readonly namespace: string;
  readonly backend: IngressBackend;
  readonly host: string;
  readonly path: string;
  readonly exact: boolean;
}

/** All routes, ready to be asked. */
export interface RouteTable {
  /** The backend for a request; undefined: nobody's. `host` without port, in any case; `path` without query. */
  find(host: string, path: string): Pick<Route, 'namespace' | 'backend'> | undefined;
}

/** Whether this cluster's ingress serves it: no class, or one whose controller is ours. */
export function isOurs(ingress: Ingress, classes: readonly IngressClass[]): boolean {
  const name = ingress.spec.ingressClassName ?? ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (name === undefined) return true;
  return classes.some(({ metadata, spec }) => metadata.name === name && spec.controller === CLASS_CONTROLLER);
}

const trimSlash = (path: string) => (path.length > 1 ? path.replace(/\/+$/, '') || '/' : path);

function routeOf(ingress: Ingress, host: string, { path = '/', pathType, backend }: IngressPath): Route {
  const exact = pathType === 'Exact';
  const namespace = ingress.metadata.namespace ?? 'default';
  return { namespace, backend, host: host.toLowerCase(), path: exact ? path : trimSlash(path), exact };
}

/** Of two ingresses that claim the same, the older one has it. */
const byAge = (a: Ingress, b: Ingress) =>
  Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp);

/** Longest path first; of equal ones the exact one. Stable, so that age decides the rest. */
const bySpecificity = (a: Route, b: Route) =>
  b.path.length - a.path.length || Number(b.exact) - Number(a.exact);

export function routeTable(ingresses: readonly Ingress[]): RouteTable {
  const sorted = ingresses.toSorted(byAge);
  const routes = sorted.flatMap((ingress) =>
    (ingress.spec.rules ?? []).flatMap(({ host = '', http }) =>
      (http?.paths ?? []).map((path) => routeOf(ingress, host, path)),
    ),
  );
  const byHost = groupByHost(routes);
  for (const group of byHost.values()) group.sort(bySpecificity);
  const fallback = sorted.find(({ spec }) => spec.defaultBackend);
  return {
    find: (host, path) => {
      const name = host.toLowerCase();
      for (const key of [name, wildcardOf(name), '']) {
        const route = byHost.get(key)?.find((one) => matches(one, path));
        if (route) return route;
      }
      const backend = fallback?.spec.defaultBackend;
      return backend && { namespace: fallback?.metadata.namespace ?? 'default', backend };
    },
  };
}

function groupByHost(routes: readonly Route[]): Map<string, Route[]> {
  const groups = new Map<string, Route[]>();
  for (const route of routes) groups.set(route.host, [...(groups.get(route.host) ?? []), route]);
  return groups;
}

/** A wildcard stands for exactly one label. */
function wildcardOf(host: string): string {
  const dot = host.indexOf('.');
  return dot < 0 ? '*' : `*${host.slice(dot)}`;
}

function matches({ path, exact }: Route, asked: string): boolean {
  if (exact) return asked === path;
  if (path === '/') return true;
  return asked === path || asked.startsWith(`${path}/`);
}
