import type { Server } from 'node:net';
import { Fault, codeOf } from '@updraft/kit';

/**
 * Binds servers of the same kind to one port on several addresses: the wished one, else any that is free on all.
 * @returns the port. @throws Fault PORT_IN_USE
 */
export async function listenTogether(
  addresses: readonly string[],
  ports: readonly number[],
  create: () => Server,
): Promise<{ readonly port: number; readonly servers: readonly Server[] }> {
  for (const wished of ports) {
    const servers = await tryPort(addresses, wished, create);
    if (servers) return { port: portOf(servers[0]), servers };
  }
  throw new Fault(
    'PORT_IN_USE',
    `none of the ports ${ports.join(', ')} is free on ${addresses.join(' and ')}`,
  );
}

async function tryPort(
  addresses: readonly string[],
  wished: number,
  create: () => Server,
): Promise<readonly Server[] | undefined> {
  const servers: Server[] = [];
  let port = wished;
  for (const address of addresses) {
    const server = create();
    if (!(await bind(server, port, address))) {
      for (const other of servers) other.close();
      return undefined;
    }
    servers.push(server);
    if (port === 0) port = portOf(server);
  }
  return servers;
}

function bind(server: Server, port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host }, () => resolve(true));
  });
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
