import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { run } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlatform } from '../testing/index.ts';
import type { TestPlatform } from '../testing/index.ts';
import type { TrafficRule } from '../types.ts';
import { addressToNumber, numberToAddress, parseCidr } from './cidr.ts';
import { startAgent } from './testing.ts';
import type { Agent } from './testing.ts';

let platform: TestPlatform;
let other: TestPlatform;
let a: Agent;
let b: Agent;
let closed: Agent;
let stranger: Agent;
const PORT = 8080;

async function agentIn(where: TestPlatform, name: string, more: object = {}): Promise<Agent> {
  const agent = await startAgent(await where.runtime.createPod({ name, hostname: name, ...more }), name);
  await agent.listen(PORT);
  return agent;
}

beforeAll(async () => {
  [platform, other] = await Promise.all([openTestPlatform(), openTestPlatform()]);
  [a, b, closed, stranger] = await Promise.all([
    agentIn(platform, 'a'),
    agentIn(platform, 'b'),
    agentIn(platform, 'closed', { unreachable: true }),
    agentIn(other, 'stranger'),
  ]);
});
afterAll(async () => {
  await Promise.all([platform.close(), other.close()]);
});

/** What the host itself gets from an address: a pod's rules do not count for it. */
async function fromHost(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, timeout: 1500 });
  try {
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  } finally {
    socket.destroy();
  }
}

async function onHost(address: string, port = 0) {
  const server = createServer((socket) => socket.end('host'));
  server.listen(port, address);
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

describe('a pod reaches', () => {
  it('pods, but not those that are there for nobody; these reach others', async () => {
    expect(await a.tcp(b.address, PORT)).toBe(`b ${a.address}`);
    expect(await a.udp(b.address, PORT)).toBe(`b ${a.address}`);
    expect(await closed.tcp(b.address, PORT)).toBe(`b ${closed.address}`);
    expect(await a.tcp(closed.address, PORT)).toBe('ECONNREFUSED');
    expect(await a.udp(closed.address, PORT)).not.toContain('closed');
    expect(await closed.tcp(closed.address, PORT)).toBe(`closed ${closed.address}`);
    expect(await fromHost(closed.address, PORT)).toContain('closed');
  });

  it('neither pods nor gateways of other platforms', async () => {
    const server = await onHost(other.network.gateway);
    await other.network.openGatewayPorts([server.port]);
    expect(await a.tcp(stranger.address, PORT)).toBe('ECONNREFUSED');
    expect(await a.tcp(other.network.gateway, server.port)).toBe('ECONNREFUSED');
    expect(await stranger.tcp(other.network.gateway, server.port)).toBe('host');
    server.close();
  });

  it('of the gateway what it was opened for, and names', async () => {
    const server = await onHost(platform.network.gateway);
    expect(await a.tcp(platform.network.gateway, server.port)).toBe('ECONNREFUSED');
    await platform.network.openGatewayPorts([server.port]);
    expect(await a.tcp(platform.network.gateway, server.port)).toBe('host');
    expect(await a.tcp(platform.network.gateway, 53)).not.toBe('ECONNREFUSED');
    server.close();
  });
});

/** Sends a datagram with a source of one's choice through a raw socket. */
const forged = (source: string, target: string, port: number) => `
import socket, struct
def ip(a): return socket.inet_aton(a)
data = b'forged'
udp = struct.pack('!HHHH', 4000, ${port}, 8 + len(data), 0) + data
header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, ip('${source}'), ip('${target}'))
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(header + udp, ('${target}', 0))
print('sent')`;

/** The same in a frame of one's own, to a neighbour directly or by way of the gateway. */
const framed = (parts: { to: string; from: string; source: string; target: string; port: number }) => `
import socket, struct
def mac(a): return bytes.fromhex(a.replace(':', ''))
def ip(a): return socket.inet_aton(a)
def total(h):
  n = sum(struct.unpack('!10H', h)); n = (n >> 16) + (n & 0xffff); return ~(n + (n >> 16)) & 0xffff
data = b'framed'
udp = struct.pack('!HHHH', 4000, ${parts.port}, 8 + len(data), 0) + data
def header(c): return struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, c, ip('${parts.source}'), ip('${parts.target}'))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
s.send(mac('${parts.to}') + mac('${parts.from}') + b'\\x08\\x00' + header(total(header(0))) + udp)
print('sent')`;

function gatewayMac(): string {
  const bytes = platform.network.gateway.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', ...bytes, '01'].join(':');
}

const macOf = (agent: Agent) =>
  agent.python("print(open('/sys/class/net/eth0/address').read())").then((text) => text.trim());

describe('a forged packet', () => {
  it('of somebody else’s address goes nowhere', async () => {
    const heard = await startListening(b, 9001);
    for (const source of [a.address, closed.address, '8.8.8.8', platform.network.gateway]) {
      expect(await a.python(forged(source, b.address, 9001))).toBe('sent\n');
    }
    await expect.poll(() => heard(), { timeout: 3000 }).toContain(a.address);
    expect(await heard()).toEqual([a.address]);
  });

  it('that is meant to bypass the rules by going from port to port does not arrive', async () => {
    const [mine, theirs] = await Promise.all([macOf(a), macOf(b)]);
    const heard = await startListening(b, 9002);
    const base = { from: mine, source: a.address, target: b.address, port: 9002 };
    expect(await a.python(framed({ ...base, to: theirs }))).toBe('sent\n');
    expect(await heard()).toEqual([]);
    expect(await a.python(framed({ ...base, to: gatewayMac() }))).toBe('sent\n');
    await expect.poll(() => heard(), { timeout: 3000 }).toEqual([a.address]);
  });
});

describe('the host’s loopback', () => {
  it('is not reached by frames that are sent there through the bridge', async () => {
    const received: string[] = [];
    const socket = createSocket('udp4');
    socket.on('message', (data) => received.push(data.toString()));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    // From then on the bridge knows a way there.
    const service = { address: '127.0.0.1', port: 30_122, protocol: 'tcp', targets: [] } as const;
    await platform.network.setServices([service]);
    const base = { to: gatewayMac(), from: await macOf(a), source: a.address };
    for (const target of ['127.0.0.1', platform.network.gateway]) {
      expect(await a.python(framed({ ...base, target, port }))).toBe('sent\n');
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(received).toEqual([]);
    await platform.network.setServices([]);
    socket.close();
  });
});

/** Collects who sends datagrams to a port of an agent's pod. */
async function startListening(agent: Agent, port: number): Promise<() => Promise<string[]>> {
  const file = `/tmp/heard-${port}`;
  await agent.python(`
import os, socket
if os.fork() == 0:
  os.setsid()
  os.makedirs('/tmp', exist_ok=True)
  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', ${port}))
  open('${file}', 'w').close()
  null = os.open('/dev/null', os.O_RDWR)
  for n in (0, 1, 2): os.dup2(null, n)
  while True:
    data, peer = s.recvfrom(99)
    with open('${file}', 'a') as f: f.write(peer[0] + '\\n')
`);
  return async () => {
    const text = await agent.python(`
import time
time.sleep(0.3)
print(open('${file}').read(), end='')`);
    return text.split('\n').filter((line) => line !== '');
  };
}

describe('traffic rules', () => {
  const between = async () => ({ tcp: await a.tcp(b.address, PORT), back: await b.tcp(a.address, PORT) });
  const free = () => ({ tcp: `b ${a.address}`, back: `a ${b.address}` });
  const REFUSED = 'ECONNREFUSED';
  const incoming = (...list: TrafficRule[]) =>
    platform.network.setTraffic({ pods: [{ address: b.address, incoming: 'list' }], lists: { list } });
  const outgoing = (...list: TrafficRule[]) =>
    platform.network.setTraffic({ pods: [{ address: a.address, outgoing: 'list' }], lists: { list } });

  it('refuse what they do not allow, in one direction, and are taken back', async () => {
    await incoming();
    expect(await between()).toEqual({ ...free(), tcp: REFUSED });
    await outgoing();
    expect(await between()).toEqual({ ...free(), tcp: REFUSED });
    await platform.network.setTraffic({ pods: [], lists: {} });
    expect(await between()).toEqual(free());
  });

  it('tell peers, ranges and ports apart', async () => {
    await incoming({
      peers: [{ addresses: [a.address] }],
      ports: [{ protocol: 'tcp', from: PORT - 1, to: PORT + 1 }],
    });
    expect(await a.tcp(b.address, PORT)).toBe(`b ${a.address}`);
    expect(await a.udp(b.address, PORT)).not.toContain('b ');
    expect(await closed.tcp(b.address, PORT)).toBe(REFUSED);
    await incoming({ peers: [{ range: '10.0.0.0/8', except: [`${a.address}/32`, '10.0.0.0/30'] }] });
    expect(await a.tcp(b.address, PORT)).toBe(REFUSED);
    expect(await closed.tcp(b.address, PORT)).toBe(`b ${closed.address}`);
    await outgoing({ ports: [{ protocol: 'udp' }] });
    expect(await a.tcp(b.address, PORT)).toBe(REFUSED);
    expect(await a.udp(b.address, PORT)).toBe(`b ${a.address}`);
  });

  it('hold for services as for their targets, and neither for the host nor for a pod itself', async () => {
    const address = numberToAddress((parseCidr(platform.network.serviceCidr)?.base ?? 0) + 30);
    const targets = [{ address: b.address, port: PORT }];
    await platform.network.setServices([{ address, port: 80, protocol: 'tcp', targets }]);
    await incoming();
    expect(await a.tcp(address, 80)).toBe(REFUSED);
    expect(await b.tcp(address, 80)).toBe(`b ${platform.network.gateway}`);
    expect(await fromHost(address, 80)).toContain('b ');
    expect(await fromHost(b.address, PORT)).toContain('b ');
    await platform.network.setTraffic({
      pods: [{ address: b.address, outgoing: 'none' }],
      lists: { none: [] },
    });
    expect(await b.tcp(address, 80)).toBe(`b ${platform.network.gateway}`);
    await platform.network.setServices([]);
    await platform.network.setTraffic({ pods: [], lists: {} });
  });

  it('for what goes out hold for the gateway as well, names excepted', async () => {
    const server = await onHost(platform.network.gateway);
    await platform.network.openGatewayPorts([server.port]);
    await outgoing();
    expect(await a.tcp(platform.network.gateway, server.port)).toBe(REFUSED);
    expect(await b.tcp(platform.network.gateway, server.port)).toBe('host');
    expect(await a.tcp(platform.network.gateway, 53)).not.toBe(REFUSED);
    await platform.network.setTraffic({ pods: [], lists: {} });
    server.close();
  });
});

describe('services', () => {
  const at = (offset: number) =>
    numberToAddress(addressToNumber(platform.network.serviceCidr.split('/')[0] ?? '') + offset);
  const targets = () => [a, b].map(({ address }) => ({ address, port: PORT }));

  it('are found on the host’s loopback, and by pods on the gateway', async () => {
    const node = { port: 30_123, protocol: 'tcp', targets: targets().slice(0, 1) } as const;
    const addresses = ['127.0.0.1', platform.network.gateway];
    await platform.network.setServices(addresses.map((address) => ({ ...node, address })));
    expect(await fromHost('127.0.0.1', 30_123)).toBe(`a ${platform.network.gateway}`);
    expect(await b.tcp(platform.network.gateway, 30_123)).toBe(`a ${b.address}`);
    await platform.network.setServices([]);
    expect(await fromHost('127.0.0.1', 30_123)).toBe('ECONNREFUSED');
  });

  it('keep a client with its target for as long as they are told', async () => {
    const service = {
      address: at(40),
      port: 80,
      protocol: 'tcp',
      targets: targets(),
      affinitySeconds: 1,
    } as const;
    await platform.network.setServices([service]);
    const names = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const answers = new Set<string>();
      for (let tries = 0; tries < 6; tries += 1)
        answers.add((await closed.tcp(service.address, 80)).slice(0, 1));
      expect(answers.size).toBe(1);
      for (const name of answers) names.add(name);
      if (names.size === 2) break;
      await new Promise((resolve) => setTimeout(resolve, 1300));
    }
    expect(names).toEqual(new Set(['a', 'b']));
    await platform.network.setServices([]);
  });

  it('come back when somebody has emptied the host’s rules', async () => {
    const service = { address: at(41), port: 80, protocol: 'tcp', targets: targets() } as const;
    await platform.network.setServices([service]);
    await run('nft', ['delete', 'table', 'ip', `updraft_${platform.id}`]);
    await platform.network.setServices([service, { ...service, port: 81 }]);
    expect(await closed.tcp(service.address, 80)).toMatch(/^[ab] /);
    await platform.network.setServices([]);
  });
});
