import type { WebSocket } from 'ws';
import type { KubeObject } from '../../store/types.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../status.ts';
import { Channels } from './channels.ts';
import type { Channel } from './channels.ts';
import { carry, portOf } from './port-forward.ts';

const MAX_PORTS = 64;

/** The ports that a client of the channel protocols names in its query. @throws ApiFault 400 */
export function forwardPorts(query: URLSearchParams): number[] {
  const words = query.getAll('ports').flatMap((each) => each.split(','));
  if (words.length === 0) throw badRequest('query parameter "ports" is required');
  if (words.length > MAX_PORTS) throw badRequest(`no more than ${MAX_PORTS} ports can be forwarded at once`);
  return words.map((word) => {
    const port = portOf(word.trim());
    if (port === undefined) throw badRequest(`unable to parse ${JSON.stringify(word)} as a port`);
    return port;
  });
}

/**
 * Port-forward over the channel protocols: channels 2i and 2i + 1 carry data and errors of the port at index i, one
 * connection each. Both begin with the port's number. The WebSocket ends with the last of them.
 */
export function forwardChannels(
  context: ApiContext,
  pod: KubeObject,
  client: { readonly socket: WebSocket; readonly ports: readonly number[] },
): void {
  const { socket, ports } = client;
  const channels = new Channels(
    socket,
    ports.flatMap((_port, index) => [2 * index, 2 * index + 1]),
    context.clock,
  );
  const carried = ports.map((port, index) => {
    const data = channels.open(2 * index);
    const error = channels.open(2 * index + 1);
    greet(data, port);
    greet(error, port);
    error.resume();
    // There are no words for "the pod sends no more" but the end of the channel.
    data.once('finish', () => data.destroy());
    return carry(context, pod, { port, data, error });
  });
  void Promise.all(carried).then(() => channels.close());
}

function greet(channel: Channel, port: number): void {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  channel.write(bytes);
}
