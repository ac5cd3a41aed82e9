import type { Service, ServicePort } from '../kinds/network.ts';
import type { Objects } from '../kinds/objects.ts';
import { targetsOf } from '../controllers/endpoints/targets.ts';
import type { Target } from '../controllers/endpoints/targets.ts';
import { isOurs, routeTable } from './routes.ts';
import type { Found, RouteTable } from './routes.ts';
import type { Destination } from './proxy.ts';

/** Where requests go, read from the store and remembered until something of it changes. */
export class Backends {
  readonly #objects: Objects;
  readonly #unwatch: () => void;
  readonly #turns = new Map<string, number>();
  #table: RouteTable | undefined;
  #targets = new Map<string, Target[]>();

  /** @param onTargetsChanged hears after endpoints or Services have changed */
  constructor(objects: Objects, onTargetsChanged: () => void) {
    this.#objects = objects;
    this.#unwatch = objects.store.watch(({ resource }) => {
      if (resource.startsWith('ingress')) this.#table = undefined;
      if (resource !== 'services' && resource !== 'endpointslices.discovery.k8s.io') return;
      this.#targets = new Map();
      onTargetsChanged();
    });
  }

  /** `host:port` of everything that may be sent requests now. */
  living(): ReadonlySet<string> {
    const slices = this.#objects.list('endpointslices.discovery.k8s.io');
    const all = slices.flatMap(({ endpoints, ports }) =>
      endpoints
        .filter(({ conditions }) => conditions?.ready ?? true)
        .flatMap(({ addresses }) =>
          addresses.flatMap((address) => ports.map(({ port }) => `${address}:${port}`)),
        ),
    );
    return new Set(all);
  }

  /**
   * The targets for a request, to be tried in this order: each call begins with the next one.
   * undefined: there is no route. No targets: there is one, and nobody behind it.
   */
  find(host: string, path: string): Destination | undefined {
    this.#table ??= this.#readTable();
    const route = this.#table.find(host, path);
    if (!route) return undefined;
    const key = JSON.stringify([route.namespace, route.backend]);
    const known = this.#targets.get(key) ?? this.#readTargets(route);
    this.#targets.set(key, known);
    const turn = (this.#turns.get(key) ?? -1) + 1;
    this.#turns.set(key, turn);
    const start = known.length === 0 ? 0 : turn % known.length;
    const targets = [...known.slice(start), ...known.slice(0, start)];
    return { settings: route.settings, pattern: route.pattern, targets };
  }

  close(): void {
    this.#unwatch();
  }

  #readTable(): RouteTable {
    const classes = this.#objects.list('ingressclasses.networking.k8s.io');
    return routeTable(
      this.#objects.list('ingresses.networking.k8s.io').filter((one) => isOurs(one, classes)),
    );
  }

  #readTargets({ namespace, backend }: Found): Target[] {
    const service = backend.service && this.#objects.get('services', namespace, backend.service.name);
    const port = service && portOf(service, backend.service?.port ?? {});
    return service && port ? targetsOf(this.#objects, service, port) : [];
  }
}

function portOf(
  service: Service,
  { name, number }: { name?: string; number?: number },
): ServicePort | undefined {
  return service.spec.ports?.find((port) => (name === undefined ? port.port === number : port.name === name));
}
