import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import type { ApiContext } from '../context.ts';
import { ApiFault, badRequest, methodNotAllowed, unknownPath } from '../status.ts';
import type { Named } from '../write.ts';
import { channelStreams } from './channel-command.ts';
import { forwardChannels, forwardPorts } from './forward-channels.ts';
import { forwardSpdy } from './forward-spdy.ts';
import { LOG_PROTOCOLS, serveLog } from './log-socket.ts';
import { readForward } from './port-forward.ts';
import { readCommand, runCommand } from './remote-command.ts';
import { collectStreams } from './spdy-command.ts';
import { serveSpdy } from './spdy/connection.ts';

/** A connection whose client asked for another protocol. */
export interface Upgrade {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly query: URLSearchParams;
}

/** The ways in which streams are carried. */
type Carrier =
  | { readonly kind: 'channels' }
  /** SPDY inside a WebSocket. */
  | { readonly kind: 'tunnel'; readonly protocol: string }
  | { readonly kind: 'spdy'; readonly protocol: string };

const CHANNELS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];
const TUNNEL = 'SPDY/3.1+portforward.k8s.io';
const COMMAND_PROTOCOL = 'v4.channel.k8s.io';
const FORWARD_PROTOCOL = 'portforward.k8s.io';
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** A client that does not read gets no more answers to its pings than this. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

const options = {
  noServer: true,
  maxPayload: MAX_MESSAGE_BYTES,
  perMessageDeflate: false,
  autoPong: false,
};
const channelSockets = new WebSocketServer({
  ...options,
  handleProtocols: (offered) => CHANNELS.find((name) => offered.has(name)) ?? false,
});
const logSockets = new WebSocketServer({
  ...options,
  handleProtocols: (offered) => LOG_PROTOCOLS.find((name) => offered.has(name)) ?? false,
});
const tunnelSockets = new WebSocketServer(options);
// The name of the protocol has a slash in it, which the library takes for a mistake: it never sees it.
tunnelSockets.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${TUNNEL}`));

const STREAMS = ['exec', 'attach', 'portforward'];

/**
 * Takes a connection over for exec, attach, port-forward or the log of a pod.
 * @throws ApiFault before anything was answered
 */
export async function serveStreams(context: ApiContext, named: Named, upgrade: Upgrade): Promise<void> {
  const { subresource = '', type } = named;
  if (type.plural === 'pods' && subresource === 'log')
    return serveLog(context, { named, query: upgrade.query }, (use) => accept(logSockets, upgrade, use));
  if (type.plural !== 'pods' || !STREAMS.includes(subresource)) throw unknownPath();
  const { method } = upgrade.message;
  if (method !== 'GET' && method !== 'POST') throw methodNotAllowed();
  if (subresource === 'portforward') return serveForward(context, named, upgrade);
  const command = readCommand(context, upgrade.query, named);
  const carrier = carrierOf(upgrade.message, COMMAND_PROTOCOL);
  if (carrier.kind === 'channels') {
    return accept(channelSockets, upgrade, (socket) => {
      void runCommand(context, command, channelStreams(command, socket, context.clock));
    });
  }
  if (carrier.kind === 'tunnel') throw notSpoken([TUNNEL]);
  const transport = spdyTransport(upgrade, carrier.protocol);
  void collectStreams(transport, command, context.clock).then(
    (streams) => streams && runCommand(context, command, streams),
  );
}

function serveForward(context: ApiContext, named: Named, upgrade: Upgrade): void {
  const pod = readForward(context, named);
  const carrier = carrierOf(upgrade.message, FORWARD_PROTOCOL);
  if (carrier.kind === 'channels') {
    const ports = forwardPorts(upgrade.query);
    return accept(channelSockets, upgrade, (socket) => forwardChannels(context, pod, { socket, ports }));
  }
  const onStream = forwardSpdy(context, pod);
  if (carrier.kind === 'tunnel') {
    const { 'sec-websocket-protocol': _hidden, ...headers } = upgrade.message.headers;
    upgrade.message.headers = headers;
    return accept(tunnelSockets, upgrade, (socket) => {
      const connection = serveSpdy(createWebSocketStream(socket), onStream, context.clock);
      void connection.closed.then(() => socket.terminate());
    });
  }
  serveSpdy(spdyTransport(upgrade, carrier.protocol), onStream, context.clock);
}

function accept(sockets: WebSocketServer, upgrade: Upgrade, use: (socket: WebSocket) => void): void {
  sockets.handleUpgrade(upgrade.message, upgrade.socket, upgrade.head, (socket) => {
    socket.on('ping', (data: Buffer) => {
      if (socket.bufferedAmount < MAX_BUFFERED_BYTES) socket.pong(data);
    });
    use(socket);
  });
}

function carrierOf(message: IncomingMessage, protocol: string): Carrier {
  const wanted = (message.headers.upgrade ?? '').toLowerCase();
  if (wanted === 'websocket') {
    const offered = listOf(message.headers['sec-websocket-protocol']);
    if (CHANNELS.some((name) => offered.includes(name))) return { kind: 'channels' };
    if (offered.includes(TUNNEL)) return { kind: 'tunnel', protocol };
    throw notSpoken([...CHANNELS, TUNNEL]);
  }
  if (wanted !== 'spdy/3.1') throw badRequest(`Upgrade request required: WebSocket or SPDY/3.1`);
  if (!listOf(message.headers['x-stream-protocol-version']).includes(protocol)) throw notSpoken([protocol]);
  return { kind: 'spdy', protocol };
}

function listOf(header: string | string[] | undefined): string[] {
  const words = [header ?? ''].flat().flatMap((line) => line.split(','));
  return words.map((word) => word.trim());
}

function notSpoken(spoken: readonly string[]): ApiFault {
  const words = `unable to upgrade: unable to negotiate protocol: server accepts [${spoken.join(' ')}]`;
  return new ApiFault(400, 'BadRequest', words);
}

function spdyTransport({ socket, head }: Upgrade, protocol: string): Duplex {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  socket.write(`${[...lines, `X-Stream-Protocol-Version: ${protocol}`].join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
