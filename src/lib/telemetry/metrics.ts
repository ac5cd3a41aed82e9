import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { StartFault } from '../fault.ts';
import { RequestDurations, type Measured } from './request-durations.ts';

/** Prometheus metrics of this process. */
export class Metrics {
  readonly #process = new Registry();
  readonly #requests = new RequestDurations();
  readonly contentType = this.#process.contentType;

  constructor() {
    collectDefaultMetrics({ register: this.#process });
  }

  observe(measured: Measured): void {
    this.#requests.observe(measured);
  }

  async text(): Promise<string> {
    return `${await this.#process.metrics()}\n${this.#requests.text()}`;
  }
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** On a port of its own: what the load balancer shows to the world has no `/metrics`. @throws StartFault */
export async function serveMetrics(metrics: Metrics, host: string, port: number): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    void metrics
      .text()
      .then((text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text));
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
