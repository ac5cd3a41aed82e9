import { silentLogger } from '@updraft/kit';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRegistry } from '../registry/registry.ts';
import type { Access } from '../registry/exchange.ts';
import type { LocalImageStore } from '../store/store.ts';

export interface TestServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  close(): Promise<void>;
}

/** Serves a handler on a free port of the loopback; the handler is made once the address is known. */
export async function serve(make: (host: string) => RequestListener): Promise<TestServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', make(host));
  return {
    host,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const TEST_CREDENTIALS = { username: 'user', password: 'secret' };

/** The store as a registry on a free port, for the user TEST_CREDENTIALS; by default that user may do anything. */
export async function serveRegistry(
  store: LocalImageStore,
  access: Access = { allow: () => true },
): Promise<TestServer> {
  const { username, password } = TEST_CREDENTIALS;
  const authenticate = (name: string, word: string) =>
    name === username && word === password ? access : undefined;
  return await serve((host) => createRegistry({ store, host, authenticate, logger: silentLogger }));
}
