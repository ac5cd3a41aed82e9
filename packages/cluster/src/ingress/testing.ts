import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { servedCatalog } from '../controllers/deletion.ts';
import { startControllers } from '../controllers/controller.ts';
import { SERVICE_NAME } from '../controllers/endpoints/slices.ts';
import { eventRecorder } from '../controllers/event-recorder.ts';
import type { IngressSpec } from '../kinds/network.ts';
import { typedObjects } from '../kinds/objects.ts';
import type { Objects } from '../kinds/objects.ts';
import { openResourceStore } from '../store/store.ts';
import { ensureIngressClasses, ingressController } from './controller.ts';
import { startIngress } from './server.ts';
import type { IngressServer } from './server.ts';

/** An ingress over a store in memory whose pods are servers of the test's own. */
export interface IngressBench {
  readonly objects: Objects;
  readonly server: IngressServer;
  /** A Service `name` in `shop` that leads to new servers, one for each listener. */
  serve(name: string, ...listeners: RequestListener[]): Promise<Server[]>;
  ingress(name: string, spec: IngressSpec, annotations?: Readonly<Record<string, string>>): void;
  secret(name: string, data: Readonly<Record<string, string>>): void;
  /** `reason: message` of every event, when all is done. */
  events(): Promise<string[]>;
  close(): Promise<void>;
}

export const NGINX = 'nginx.ingress.kubernetes.io/';

export async function openIngressBench(): Promise<IngressBench> {
  const dir = mkdtempSync(path.join(tmpdir(), 'updraft-ingress-'));
  const clock = systemClock;
  const objects = typedObjects(openResourceStore({ file: ':memory:', clock }));
  const server = await startIngress({ objects, clock, ports: [0], tlsPorts: [0], address: '127.0.0.1', dir });
  const events = eventRecorder({ objects, clock, logger: silentLogger, component: 'test', host: 'node' });
  const context = {
    objects,
    clock,
    logger: silentLogger,
    events,
    catalog: servedCatalog(objects.store),
    deletion: { delete: () => undefined, finish: () => undefined },
  };
  ensureIngressClasses(context);
  const controllers = startControllers([ingressController(context, server)], context);
  const pods: Server[] = [];
  return {
    objects,
    server,
    async serve(name, ...listeners) {
      const made = await Promise.all(listeners.map(startPod));
      pods.push(...made);
      publish(objects, name, made.map(portOf));
      return made;
    },
    ingress(name, spec, annotations = {}) {
      const wanted = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', spec };
      objects.create('ingresses.networking.k8s.io', { ...wanted, metadata: metadata(name, { annotations }) });
    },
    secret(name, data) {
      const encoded = Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      const found = objects.modify('secrets', 'shop', name, (stored) => {
        stored.data = encoded;
      });
      const draft = { apiVersion: 'v1', kind: 'Secret', metadata: metadata(name), data: encoded };
      if (!found) objects.create('secrets', draft);
    },
    async events() {
      await controllers.idle();
      return objects.list('events').map(({ reason, message }) => `${reason}: ${message}`);
    },
    async close() {
      await controllers.stop();
      await server.close();
      for (const pod of pods) {
        pod.close();
        pod.closeAllConnections();
      }
      objects.store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const metadata = (name: string, more: object = {}) => ({ name, namespace: 'shop', ...more });

function publish(objects: Objects, name: string, ports: readonly number[]): void {
  objects.create('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name),
    spec: { clusterIP: '10.2.0.1', ports: [{ port: 80 }] },
  });
  for (const [index, port] of ports.entries()) {
    objects.create('endpointslices.discovery.k8s.io', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata(`${name}-${index}`, { labels: { [SERVICE_NAME]: name } }),
      addressType: 'IPv4',
      ports: [{ name: '', port, protocol: 'TCP' }],
      endpoints: [
        { addresses: ['127.0.0.1'], conditions: { ready: true, serving: true, terminating: false } },
      ],
    });
  }
}

const portOf = (server: Server) => (server.address() as { port: number }).port;

async function startPod(listener: RequestListener): Promise<Server> {
  const pod = http.createServer(listener);
  await new Promise<void>((resolve) => pod.listen(0, '127.0.0.1', resolve));
  return pod;
}

/** A rule that sends a host, below a path, to a Service. */
export const toService = (
  host: string,
  name: string,
  more: { path?: string; pathType?: 'Exact' | 'Prefix' | 'ImplementationSpecific' } = {},
) => ({
  host,
  http: {
    paths: [
      {
        path: '/',
        pathType: 'Prefix' as const,
        ...more,
        backend: { service: { name, port: { number: 80 } } },
      },
    ],
  },
});
