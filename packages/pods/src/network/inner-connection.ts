import { closeSync, openSync } from 'node:fs';
import { Socket, connect } from 'node:net';
import { PodsFault } from '../fault.ts';
import { socketInNetwork } from '../system-calls.ts';

const LOOPBACK = '127.0.0.1';

/**
 * A TCP connection as a process of that pod would make it to its own loopback, made from here: no program is started,
 * and nothing has to be in the image. Half open when one side has ended.
 * @param pid any process in the pod's network, by its id on the host
 * @throws PodsFault GONE when there is no such process; the socket's own error when nobody listens
 */
export async function connectInside(pid: number, port: number): Promise<Socket> {
  const network = openNetwork(pid);
  try {
    const socket = new Socket({ fd: socketInNetwork(network), allowHalfOpen: true });
    return await connected(socket.connect({ host: LOOPBACK, port }));
  } finally {
    closeSync(network);
  }
}

function openNetwork(pid: number): number {
  try {
    return openSync(`/proc/${pid}/ns/net`, 'r');
  } catch (error) {
    throw new PodsFault('GONE', `process ${pid} has ended`, { cause: error });
  }
}

/** The same to an address that can be reached from here. */
export function connectTo(host: string, port: number): Promise<Socket> {
  return connected(connect({ host, port, allowHalfOpen: true }));
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
