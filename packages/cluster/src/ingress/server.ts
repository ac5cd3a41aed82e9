import type { Server } from 'node:http';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { ClusterFault } from '../fault.ts';
import type { Objects } from '../kinds/objects.ts';
import { Backends } from './backends.ts';
import { Certificates } from './certificates.ts';
import { DefaultCertificate } from './default-certificate.ts';
import { createListener } from './listener.ts';
import { Proxy } from './proxy.ts';

/** The way into the cluster by host name. */
export interface IngressServer {
  readonly port: number;
  /** Where `http` is sent on to when a host has TLS. The other port understands TLS as well. */
  readonly tlsPort: number;
  readonly certificates: Certificates;
  close(): Promise<void>;
}

export interface IngressOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly ports: readonly number[];
  /** Absent or none free: `https` goes by the same port as `http`. */
  readonly tlsPorts?: readonly number[];
  readonly address: string;
  /** Where the default certificate is kept. */
  readonly dir: string;
}

const LOOPBACK = '127.0.0.1';
const LOOPBACK_6 = '::1';

/**
 * Listens on loopback and on the bridge's address, on the first of `ports` that is free on both, and so for `tlsPorts`.
 * @throws ClusterFault PORT_IN_USE when none of `ports` is
 */
export async function startIngress(options: IngressOptions): Promise<IngressServer> {
  const { objects, clock, ports, tlsPorts = [], address, dir } = options;
  const backends = new Backends(objects, () => proxy.forget(backends.living()));
  const certificates = new Certificates(objects);
  const standard = new DefaultCertificate(dir, clock);
  const chosen = { tlsPort: 0 };
  const proxy: Proxy = new Proxy({
    clock,
    find: (host, path) => backends.find(host, path),
    hasTls: (host) => certificates.covers(host),
    tlsPort: () => chosen.tlsPort,
    secretOf: ({ namespace, secret }) => objects.get('secrets', namespace, secret),
  });
  const make = () =>
    createListener(proxy, {
      contextFor: (host) => certificates.contextFor(host),
      fallback: () => standard.pem(),
    });
  const opened = await openFirst(ports, address, make);
  const secure = await openFirst(tlsPorts, address, make).catch(() => opened);
  chosen.tlsPort = secure.port;
  const servers = new Set([...opened.servers, ...secure.servers]);
  return {
    port: opened.port,
    tlsPort: secure.port,
    certificates,
    close: async () => {
      backends.close();
      certificates.close();
      await Promise.all([...servers].map(closeServer));
      proxy.close();
    },
  };
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
