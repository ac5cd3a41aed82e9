import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { StartFault } from '../fault.ts';

/** One request that was answered. Ids are never labels: the route is the template. */
export interface Measured {
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number;
  readonly ms: number;
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Methods are whatever clients make up: the rest is one label. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/** Prometheus metrics of this process. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Requests by method, route and status',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers: [this.registry],
    });
  }

  observe({ method, route, status, ms }: Measured): void {
    const labels = {
      method: METHODS.has(method) ? method : 'other',
      route: route ?? 'unknown',
      status: String(status),
    };
    this.#requests.observe(labels, ms / 1000);
  }
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** On a port of its own: what the load balancer shows to the world has no `/metrics`. @throws StartFault */
export async function serveMetrics(
  { registry }: Metrics,
  host: string,
  port: number,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    void registry
      .metrics()
      .then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new StartFault(`metrics on ${host} port ${port}: ${error.message}`)),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
