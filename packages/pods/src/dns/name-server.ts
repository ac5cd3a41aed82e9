import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { codeOf, messageOf } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import type { DnsZone } from '../types.ts';
import { decodeQuery, encodeCode, encodeFinding, isEncodable, isStandardQuery, udpLimit } from './answer.ts';
import { forward, frame, frameReader } from './forward.ts';
import type { Transport } from './forward.ts';
import { resolve } from './resolve.ts';

export interface NameServerOptions {
  readonly address: string;
  /** Default 53. */
  readonly port?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who is asked for names no zone knows; read anew for each question, as hosts change networks. `address` or `address#port`. */
  readonly resolvers: () => Promise<readonly string[]>;
}

/** Answers for the zones and forwards the rest, by UDP and TCP. */
export interface NameServer {
  readonly port: number;
  addZone(zone: DnsZone): () => void;
  close(): Promise<void>;
}

const MAX_TCP_BYTES = 65_535;
const IDLE_MS = 10_000;
/** More questions than this at once are answered with failure: the host's own resolver is not to be flooded. */
const MAX_FORWARDS = 256;
const MAX_CONNECTIONS = 512;

/** @throws PodsFault DNS_PORT_IN_USE */
export async function startNameServer(options: NameServerOptions): Promise<NameServer> {
  const zones = new Set<DnsZone>();
  const responder = new Responder(zones, options);
  const tcp = createServer((socket) => serveTcp(socket, responder));
  tcp.maxConnections = MAX_CONNECTIONS;
  const connections = new Set<Socket>();
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const udp = createSocket('udp4');
  try {
    const port = await listenTcp(tcp, options);
    udp.bind(port, options.address);
    await once(udp, 'listening');
    serveUdp(udp, responder);
    return {
      port,
      addZone(zone) {
        zones.add(zone);
        return () => zones.delete(zone);
      },
      async close() {
        for (const socket of connections) socket.destroy();
        await Promise.all([closed(udp), closed(tcp)]);
      },
    };
  } catch (error) {
    await Promise.all([closed(udp), closed(tcp)]);
    throw listenFault(error, options);
  }
}

async function listenTcp(tcp: Server, { address, port = 53 }: NameServerOptions): Promise<number> {
  tcp.listen(port, address);
  await once(tcp, 'listening');
  const bound = tcp.address();
  return typeof bound === 'object' && bound ? bound.port : port;
}

function closed(server: UdpSocket | Server): Promise<void> {
  return new Promise((resolve) => {
    try {
      server.close(() => resolve());
    } catch {
      // It never listened.
      resolve();
    }
  });
}

function listenFault(error: unknown, { address, port = 53 }: NameServerOptions): unknown {
  if (codeOf(error) !== 'EADDRINUSE') return error;
  return new PodsFault('DNS_PORT_IN_USE', `port ${port} of ${address} is taken by another name server`, {
    cause: error,
    next: `Make the name server that listens on every address leave this one alone (\`ss -lnp sport = :${port}\` shows it).`,
  });
}

/** Finds the reply to one message. */
class Responder {
  readonly #zones: Iterable<DnsZone>;
  readonly #options: NameServerOptions;
  #forwards = 0;

  constructor(zones: Iterable<DnsZone>, options: NameServerOptions) {
    this.#zones = zones;
    this.#options = options;
  }

  /** undefined: no reply is deserved. */
  async reply(message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const query = decodeQuery(message);
    const question = query?.questions?.[0];
    if (!query || !question) return undefined;
    if (!isStandardQuery(query)) return encodeCode(query, 'NOTIMP');
    if (!isEncodable(question.name)) return encodeCode(query, 'FORMERR');
    try {
      const ask = (other: Buffer) => this.#forward(other, transport);
      const finding = await resolve(question, { zones: this.#zones, ask });
      const limit = transport === 'udp' ? udpLimit(query) : MAX_TCP_BYTES;
      if (finding !== undefined) return encodeFinding(query, finding, limit);
      return (await this.#forward(message, transport)) ?? encodeCode(query, 'SERVFAIL');
    } catch (error) {
      this.#options.logger.log('error', 'a name could not be answered', { error: messageOf(error) });
      return encodeCode(query, 'SERVFAIL');
    }
  }

  async #forward(message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    if (this.#forwards >= MAX_FORWARDS) return undefined;
    this.#forwards += 1;
    try {
      const { clock, resolvers } = this.#options;
      return await forward(message, { resolvers: await resolvers(), transport, clock });
    } finally {
      this.#forwards -= 1;
    }
  }
}

function serveUdp(socket: UdpSocket, responder: Responder): void {
  // A client that went away makes the kernel report an error here: not ours to act on.
  socket.on('error', () => undefined);
  const answer = async (message: Buffer, client: RemoteInfo) => {
    const reply = await responder.reply(message, 'udp');
    if (!reply) return;
    try {
      socket.send(reply, client.port, client.address, () => undefined);
    } catch {
      // The server was closed meanwhile.
    }
  };
  socket.on('message', (message, client) => void answer(message, client));
}

function serveTcp(socket: Socket, responder: Responder): void {
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const answer = async (message: Buffer) => {
    const reply = await responder.reply(message, 'tcp');
    if (reply && socket.writable) socket.write(frame(reply));
  };
  socket.on(
    'data',
    frameReader((message) => void answer(message)),
  );
}
