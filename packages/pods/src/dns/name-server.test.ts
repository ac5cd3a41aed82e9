import dnsPacket from 'dns-packet';
import type { DecodedPacket } from 'dns-packet';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { codeOf, silentLogger, systemClock } from '@updraft/kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { DnsZone } from '../types.ts';
import { frame, frameReader } from './forward.ts';
import { startNameServer } from './name-server.ts';
import type { NameServer, NameServerOptions } from './name-server.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Other tests look for ports at the same time: what was free a moment ago may be taken. */
async function startAnywhere(options: Omit<NameServerOptions, 'port'>, triesLeft = 10): Promise<NameServer> {
  try {
    return await startNameServer({ ...options, port: await freePort() });
  } catch (error) {
    if (codeOf(error) !== 'DNS_PORT_IN_USE' || triesLeft === 0) throw error;
    return startAnywhere(options, triesLeft - 1);
  }
}

async function serve(zones: DnsZone[], resolvers: string[] = [], clock = systemClock): Promise<NameServer> {
  const options = { address: '127.0.0.1', clock, logger: silentLogger, resolvers: async () => resolvers };
  const server = await startAnywhere(options);
  for (const zone of zones) server.addZone(zone);
  closers.push(() => server.close());
  return server;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const query = (name: string, type: string, more: object = {}) =>
  dnsPacket.encode({
    type: 'query',
    id: 4711,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type: type as 'A' }],
    ...more,
  });

async function askUdp(port: number, bytes: Buffer): Promise<DecodedPacket> {
  const socket = createSocket('udp4');
  socket.send(bytes, port, '127.0.0.1');
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return dnsPacket.decode(reply);
}

async function askTcp(port: number, bytes: Buffer): Promise<DecodedPacket> {
  const socket = connect(port, '127.0.0.1');
  // In two parts: the length may come alone.
  const framed = frame(bytes);
  socket.write(framed.subarray(0, 1));
  socket.write(framed.subarray(1));
  const reply = await new Promise<Buffer>((resolve) => socket.on('data', frameReader(resolve)));
  socket.destroy();
  return dnsPacket.decode(reply);
}

/** A name server elsewhere, by UDP and TCP, that answers as told. */
async function upstream(
  answer: (question: DecodedPacket, transport: string) => Buffer | undefined,
): Promise<string> {
  const tcp = createServer((socket) => {
    socket.on(
      'data',
      frameReader((message) => {
        const reply = answer(dnsPacket.decode(message), 'tcp');
        if (reply) socket.write(frame(reply));
      }),
    );
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as { port: number };
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  udp.on('message', (message, client) => {
    const reply = answer(dnsPacket.decode(message), 'udp');
    if (reply) udp.send(reply, client.port, client.address);
  });
  closers.push(
    () => void udp.close(),
    () => void tcp.close(),
  );
  return `127.0.0.1#${port}`;
}

const respond = (question: DecodedPacket, data: string, flags = 0) =>
  dnsPacket.encode({
    type: 'response',
    id: question.id ?? 0,
    flags,
    questions: question.questions ?? [],
    answers: data ? [{ name: question.questions?.[0]?.name ?? '', type: 'A', ttl: 1, data }] : [],
  });

const zone: DnsZone = {
  lookup(name, type) {
    if (name === 'gone.test') return 'NXDOMAIN';
    if (name === 'many.test') {
      return Array.from({ length: 60 }, (_, index) => ({
        type: 'A',
        ttlSeconds: 5,
        data: `10.0.0.${index}`,
      }));
    }
    if (name === '_http._tcp.db.test') {
      return type === 'SRV' ? [{ type: 'SRV', ttlSeconds: 5, data: '0 50 5432 db.test' }] : [];
    }
    if (name !== 'db.test') return undefined;
    return type === 'A' ? [{ type: 'A', ttlSeconds: 5, data: '10.1.2.3' }] : [];
  },
};

const fixed = (data: string): DnsZone => ({ lookup: () => [{ type: 'A', ttlSeconds: 1, data }] });

describe('names of a zone', () => {
  it.each([
    ['udp', askUdp],
    ['tcp', askTcp],
  ])('are answered by %s, whatever their case', async (_name, ask) => {
    const { port } = await serve([zone]);
    const reply = await ask(port, query('DB.test', 'A'));
    expect(reply).toMatchObject({
      id: 4711,
      rcode: 'NOERROR',
      flag_aa: true,
      flag_rd: true,
      answers: [{ name: 'DB.test', type: 'A', ttl: 5, data: '10.1.2.3' }],
    });
  });

  it.each(['AAAA', 'MX', 'HTTPS'])('that have no %s exist all the same', async (type) => {
    const { port } = await serve([zone]);
    expect(await askUdp(port, query('db.test', type))).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it('that do not exist are told so', async () => {
    const { port } = await serve([zone]);
    expect(await askUdp(port, query('gone.test', 'A'))).toMatchObject({ rcode: 'NXDOMAIN', answers: [] });
  });

  it('may be services', async () => {
    const { port } = await serve([zone]);
    const { answers } = await askUdp(port, query('_http._tcp.db.test', 'SRV'));
    expect(answers?.[0]).toMatchObject({ data: { priority: 0, weight: 50, port: 5432, target: 'db.test' } });
  });

  it('with more addresses than a datagram holds make the client come back by TCP', async () => {
    const { port } = await serve([zone]);
    expect(await askUdp(port, query('many.test', 'A'))).toMatchObject({ flag_tc: true, answers: [] });
    expect((await askTcp(port, query('many.test', 'A'))).answers).toHaveLength(60);
    const roomy = { additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [] }] };
    expect((await askUdp(port, query('many.test', 'A', roomy))).answers).toHaveLength(60);
  });

  it('are taken from the first zone that knows them, until it is removed', async () => {
    const server = await serve([]);
    const remove = server.addZone(fixed('10.0.0.1'));
    server.addZone(fixed('10.0.0.2'));
    const address = async () => (await askUdp(server.port, query('x', 'A'))).answers?.[0];
    expect(await address()).toMatchObject({ data: '10.0.0.1' });
    remove();
    expect(await address()).toMatchObject({ data: '10.0.0.2' });
  });
});

describe('other names', () => {
  it('are asked of the next name server when one is silent, refuses or fails', async () => {
    const silent = await upstream(() => undefined);
    const failing = await upstream((question) => respond(question, '', 2));
    const good = await upstream((question) => respond(question, '192.0.2.9'));
    const quick = { ...systemClock, timer: (_ms: number, fire: () => void) => systemClock.timer(100, fire) };
    const { port } = await serve([zone], [silent, failing, good], quick);
    const reply = await askUdp(port, query('example.org', 'A'));
    expect(reply).toMatchObject({ id: 4711, answers: [{ data: '192.0.2.9' }] });
  });

  it('fail when no name server answers, or there is none', async () => {
    const { port } = await serve([zone], []);
    expect(await askUdp(port, query('example.org', 'A'))).toMatchObject({ id: 4711, rcode: 'SERVFAIL' });
    const failing = await upstream((question) => respond(question, '', 2));
    const other = await serve([zone], [failing]);
    expect(await askUdp(other.port, query('example.org', 'A'))).toMatchObject({ rcode: 'SERVFAIL' });
  });

  it('go by the transport the client chose, so that a reply cut short is asked for whole', async () => {
    const server = await upstream((question, transport) =>
      transport === 'udp'
        ? respond(question, '', dnsPacket.TRUNCATED_RESPONSE)
        : respond(question, '192.0.2.1'),
    );
    const { port } = await serve([], [server]);
    expect(await askUdp(port, query('big.test', 'A'))).toMatchObject({ flag_tc: true });
    expect(await askTcp(port, query('big.test', 'A'))).toMatchObject({ answers: [{ data: '192.0.2.1' }] });
  });

  it('are not answered by whoever guesses: the identifier has to be ours', async () => {
    const liar = await upstream((question) =>
      respond({ ...question, id: ((question.id ?? 0) + 1) % 65_536 }, '6.6.6.6'),
    );
    const quick = { ...systemClock, timer: (_ms: number, fire: () => void) => systemClock.timer(50, fire) };
    const { port } = await serve([], [liar], quick);
    expect(await askUdp(port, query('example.org', 'A'))).toMatchObject({ rcode: 'SERVFAIL' });
  });
});

const alias: DnsZone = {
  apex: 'alias.test',
  lookup(name, type) {
    const targets: Record<string, string> = {
      'out.alias.test': 'www.example.org',
      'in.alias.test': 'db.test',
      'far.alias.test': 'in.alias.test',
      'round.alias.test': 'round.alias.test',
    };
    const target = targets[name];
    if (target !== undefined) return [{ type: 'CNAME', ttlSeconds: 5, data: target }];
    if (name === 'empty.alias.test') return type === 'TXT' ? [{ type, ttlSeconds: 1, data: 'x' }] : [];
    return name.endsWith('.alias.test') ? 'NXDOMAIN' : undefined;
  },
};

const typed = ({ answers = [] }: DecodedPacket) =>
  answers.map((answer) => {
    const data = answer.type === 'A' || answer.type === 'CNAME' ? answer.data : '';
    return `${answer.name} ${answer.type} ${data}`;
  });

describe('names that stand for others', () => {
  it('come with what they lead to, here and elsewhere', async () => {
    const elsewhere = await upstream((question) => respond(question, '192.0.2.7'));
    const { port } = await serve([alias, zone], [elsewhere]);
    expect(typed(await askUdp(port, query('out.alias.test', 'A')))).toEqual([
      'out.alias.test CNAME www.example.org',
      'www.example.org A 192.0.2.7',
    ]);
    expect(typed(await askTcp(port, query('far.alias.test', 'A')))).toEqual([
      'far.alias.test CNAME in.alias.test',
      'in.alias.test CNAME db.test',
      'db.test A 10.1.2.3',
    ]);
    expect(typed(await askUdp(port, query('in.alias.test', 'CNAME')))).toEqual([
      'in.alias.test CNAME db.test',
    ]);
    expect(typed(await askUdp(port, query('in.alias.test', 'AAAA')))).toEqual([
      'in.alias.test CNAME db.test',
    ]);
  });

  it('and for themselves are a failure, as those are that nobody can be asked for', async () => {
    const { port } = await serve([alias]);
    expect(await askUdp(port, query('round.alias.test', 'A'))).toMatchObject({ rcode: 'SERVFAIL' });
    expect(await askUdp(port, query('out.alias.test', 'A'))).toMatchObject({
      rcode: 'SERVFAIL',
      answers: [],
    });
  });
});

describe('what is not there', () => {
  it.each([
    ['gone.alias.test', 'NXDOMAIN'],
    ['empty.alias.test', 'NOERROR'],
  ])('is so for five seconds: %s', async (name, rcode) => {
    const { port } = await serve([alias]);
    const reply = await askUdp(port, query(name, 'AAAA'));
    expect(reply).toMatchObject({ rcode, answers: [] });
    expect(reply.authorities).toMatchObject([
      { type: 'SOA', name: 'alias.test', ttl: 5, data: { minimum: 5 } },
    ]);
  });
});

describe('extensions', () => {
  it('are answered with extensions, and only then', async () => {
    const { port } = await serve([zone]);
    const extended = {
      additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] }],
    };
    expect((await askUdp(port, query('db.test', 'A', extended))).additionals).toMatchObject([
      { type: 'OPT' },
    ]);
    expect((await askUdp(port, query('db.test', 'A'))).additionals).toEqual([]);
  });
});

describe('the server', () => {
  it('answers after whatever was sent to it', async () => {
    const { port } = await serve([zone, alias]);
    const socket = createSocket('udp4');
    const seeds = [
      query('db.test', 'A'),
      query('far.alias.test', 'SRV'),
      query(`${'a.'.repeat(120)}test`, 'TXT'),
    ];
    // Changed by a rule instead of by chance, so that a failure can be repeated.
    let state = 12_345;
    const next = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    for (let round = 0; round < 2000; round += 1) {
      const bytes = Buffer.from(seeds[next(seeds.length)] ?? '');
      for (let change = 0; change <= next(6); change += 1) bytes[next(bytes.length)] = next(256);
      socket.send(bytes.subarray(0, 1 + next(bytes.length)), port, '127.0.0.1');
      if (round % 100 === 0)
        expect(await askUdp(port, query('db.test', 'A'))).toMatchObject({ rcode: 'NOERROR' });
    }
    expect(await askUdp(port, query('db.test', 'A'))).toMatchObject({ rcode: 'NOERROR' });
    socket.close();
  });

  it('refuses names that are none, and other operations', async () => {
    const { port } = await serve([zone]);
    const strange = query('db.test', 'A');
    strange[13] = 0xff;
    expect(await askUdp(port, strange)).toMatchObject({ rcode: 'FORMERR', questions: [] });
    expect(await askUdp(port, query('db.test', 'A', { flags: 2 << 11 }))).toMatchObject({ rcode: 'NOTIMP' });
  });

  it('survives what is no question', async () => {
    const { port } = await serve([zone]);
    const socket = createSocket('udp4');
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('nonsense'),
      Buffer.alloc(600, 0xff),
      respond({ id: 1 } as DecodedPacket, ''),
    ]) {
      socket.send(bytes, port, '127.0.0.1');
    }
    expect(await askUdp(port, query('db.test', 'A'))).toMatchObject({ rcode: 'NOERROR' });
    socket.close();
  });

  it('answers although a zone throws', async () => {
    const broken: DnsZone = {
      lookup: () => {
        throw new Error('broken');
      },
    };
    const { port } = await serve([broken]);
    expect(await askUdp(port, query('x', 'A'))).toMatchObject({ rcode: 'SERVFAIL' });
  });

  it('tells that its port is taken', async () => {
    const { port } = await serve([]);
    const second = startNameServer({
      address: '127.0.0.1',
      port,
      clock: systemClock,
      logger: silentLogger,
      resolvers: async () => [],
    });
    await expect(second).rejects.toMatchObject({ code: 'DNS_PORT_IN_USE' });
  });
});
