import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '@updraft/kit';

export type Transport = 'udp' | 'tcp';

/** How long one name server may think; clients ask again after five seconds. */
const PATIENCE_MS = 1500;
const ROUNDS = 2;
const DEFAULT_PORT = 53;
const SERVFAIL = 2;
const REFUSED = 5;

/**
 * Asks the name servers in turn, over the transport the client used (so that a reply cut short makes the client come
 * back by TCP, and that goes by TCP as well). Resolves with the first useful reply, else the last refusal, else undefined.
 */
export async function forward(
  query: Buffer,
  options: { resolvers: readonly string[]; transport: Transport; clock: Clock },
): Promise<Buffer | undefined> {
  const { resolvers, transport, clock } = options;
  let refusal: Buffer | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const resolver of resolvers) {
      const reply = await ask(query, { resolver, transport, clock });
      if (reply && !isRefusal(reply)) return reply;
      refusal = reply ?? refusal;
    }
    if (refusal) return refusal;
  }
  return refusal;
}

function isRefusal(reply: Buffer): boolean {
  const code = (reply[3] ?? 0) & 0x0f;
  return code === SERVFAIL || code === REFUSED;
}

/** An identifier of our own and a fresh port for each question: neither can be guessed by a third party. */
async function ask(
  query: Buffer,
  { resolver, transport, clock }: { resolver: string; transport: Transport; clock: Clock },
): Promise<Buffer | undefined> {
  const own = Buffer.from(query);
  own.writeUInt16BE(randomInt(0x10000), 0);
  const isReply = (bytes: Buffer) =>
    bytes.length >= 12 && bytes.readUInt16BE(0) === own.readUInt16BE(0) && ((bytes[2] ?? 0) & 0x80) !== 0;
  const exchange = transport === 'udp' ? exchangeUdp : exchangeTcp;
  const reply = await exchange(own, { resolver, clock, isReply });
  if (!reply) return undefined;
  const mine = Buffer.from(reply);
  query.copy(mine, 0, 0, 2);
  return mine;
}

interface Exchange {
  readonly resolver: string;
  readonly clock: Clock;
  readonly isReply: (bytes: Buffer) => boolean;
}

/** A name server is an address, or `address#port`. */
function endpoint(resolver: string): { host: string; port: number } {
  const [host = '', port] = resolver.split('#', 2);
  return { host, port: port ? Number(port) : DEFAULT_PORT };
}

function exchangeUdp(query: Buffer, { resolver, clock, isReply }: Exchange): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const { host, port } = endpoint(resolver);
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const stop = clock.timer(PATIENCE_MS, () => finish(undefined));
    let open = true;
    function finish(reply: Buffer | undefined): void {
      if (!open) return;
      open = false;
      stop();
      socket.close();
      resolve(reply);
    }
    socket.on('error', () => finish(undefined));
    socket.on('message', (bytes) => isReply(bytes) && finish(bytes));
    // Connected: the kernel drops what others send.
    socket.connect(port, host, () => open && socket.send(query));
  });
}

function exchangeTcp(query: Buffer, { resolver, clock, isReply }: Exchange): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(endpoint(resolver));
    const stop = clock.timer(PATIENCE_MS, () => finish(undefined));
    function finish(reply: Buffer | undefined): void {
      stop();
      socket.destroy();
      resolve(reply);
    }
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    const read = frameReader((bytes) => isReply(bytes) && finish(bytes));
    socket.on('data', read);
    socket.end(frame(query));
  });
}

/** A message as TCP carries it: its length first. */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a TCP stream into messages. */
export function frameReader(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      onMessage(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  };
}
