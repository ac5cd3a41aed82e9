import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { ClusterFault } from '../fault.ts';
import type { Objects } from '../kinds/objects.ts';
import { Backends } from './backends.ts';
import { Proxy } from './proxy.ts';

/** The way into the cluster by host name. */
export interface IngressServer {
  readonly port: number;
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 75_000;
const LOOPBACK = '127.0.0.1';
const LOOPBACK_6 = '::1';

/**
 * Listens on loopback and on the bridge's address, on the first of `ports` that is free on both.
 * @throws ClusterFault PORT_IN_USE when none is
 */
export async function startIngress(options: {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly ports: readonly number[];
  readonly address: string;
}): Promise<IngressServer> {
  const backends = new Backends(options.objects, () => proxy.forget(backends.living()));
  const proxy = new Proxy({ clock: options.clock, find: (host, path) => backends.find(host, path) });
  const opened = await openFirst(options.ports, options.address, () => makeServer(proxy));
  return {
    port: opened.port,
    close: async () => {
      backends.close();
      await Promise.all(opened.servers.map(closeServer));
      proxy.close();
    },
  };
}

function makeServer(proxy: Proxy): Server {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
  server.on('request', (request, response) => proxy.handle(request, response));
  server.on('upgrade', (request, socket, head) => proxy.upgrade(request, socket, head));
  // What is not HTTP gets a short answer, and cannot hold the connection.
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  return server;
}

async function openFirst(
  ports: readonly number[],
  address: string,
  make: () => Server,
): Promise<{ port: number; servers: Server[] }> {
  let last: unknown;
  for (const port of ports) {
    const servers: Server[] = [];
    try {
      const chosen = await listen(add(servers, make()), port, LOOPBACK);
      if (address !== LOOPBACK) await listen(add(servers, make()), chosen, address);
      await listenIfPossible(add(servers, make()), chosen, LOOPBACK_6);
      return { port: chosen, servers };
    } catch (error) {
      last = error;
      await Promise.all(servers.map(closeServer));
    }
  }
  throw new ClusterFault('PORT_IN_USE', `the ingress finds no free port among ${ports.join(', ')}`, {
    cause: last,
    next: 'Free one of these ports (`ss -ltnp` shows who has them) and start again.',
  });
}

function add(servers: Server[], server: Server): Server {
  servers.push(server);
  return server;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound ? bound.port : port);
    });
  });
}

/** Some names resolve to ::1 first; a machine without IPv6 can do without. */
async function listenIfPossible(server: Server, port: number, host: string): Promise<void> {
  try {
    await listen(server, port, host);
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw error;
  }
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
