import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { keptInput, startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';
import { pod } from '../testing/manifests.ts';

const PODS = '/api/v1/namespaces/default/pods';
const V5 = 'v5.channel.k8s.io';

let under: ApiUnderTest;
let echo: Server;
beforeAll(async () => {
  under = await startApi();
  await under.send('POST', PODS, { body: pod('busy') });
  under.store.modify('pods', 'default', 'busy', (o) => ({
    ...o,
    spec: { ...o.spec, nodeName: 'n' },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', state: { running: {} } }] },
  }));
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => echo.once('listening', resolve));
});
afterAll(async () => {
  echo.close();
  await under.close();
});

function open(path: string, protocol: string): Promise<Client> {
  const { client, ca } = under.credentials;
  const url = `wss://127.0.0.1:${under.port}${PODS}/${path}`;
  const socket = new WebSocket(url, protocol, { ca, cert: client.certificate, key: client.key });
  const channels = new Map<number, Buffer>();
  socket.on('message', (data: Buffer) => {
    const [channel = 0] = data;
    channels.set(channel, Buffer.concat([channels.get(channel) ?? Buffer.alloc(0), data.subarray(1)]));
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => resolve({ socket, channels, closed }));
  });
}

interface Client {
  readonly socket: WebSocket;
  readonly channels: Map<number, Buffer>;
  readonly closed: Promise<number>;
}

const say = (client: Client, channel: number, text: string) =>
  client.socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
const textOf = (client: Client, channel: number) => client.channels.get(channel)?.toString() ?? '';

describe('commands over channels', () => {
  it('attach joins the process of the container', async () => {
    const client = await open('busy/attach?stdin=true&stdout=true', V5);
    say(client, 0, 'into it');
    client.socket.send(Buffer.from([255, 0]));
    expect(await client.closed).toBe(1000);
    expect(textOf(client, 1)).toBe('into it');
    expect(JSON.parse(textOf(client, 3))).toMatchObject({ status: 'Success' });
  });

  it('a client that reads late gets everything and is not waited for in memory', async () => {
    const client = await open('busy/exec?command=flood&command=24&stdout=true', V5);
    client.socket.pause();
    client.socket.removeAllListeners('message');
    let bytes = 0;
    client.socket.on('message', (data: Buffer) => (bytes += data[0] === 1 ? data.length - 1 : 0));
    const before = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * 1024 * 1024);
    client.socket.resume();
    expect(await client.closed).toBe(1000);
    expect(bytes).toBe(24 * 1024 * 1024);
  });

  it('what was sent before the client closed the connection is read to its end', async () => {
    keptInput.length = 0;
    const client = await open('busy/exec?command=keep&stdin=true&stdout=true', 'v4.channel.k8s.io');
    const sent = Buffer.alloc(4 * 1024 * 1024, 'x');
    for (let at = 0; at < sent.length; at += 65_536)
      client.socket.send(Buffer.concat([Buffer.from([0]), sent.subarray(at, at + 65_536)]));
    client.socket.close(1000);
    await client.closed;
    await vi.waitFor(() => expect(Buffer.concat(keptInput).length).toBe(sent.length), { timeout: 10_000 });
  });

  it.each(['channel.k8s.io', 'base64.channel.k8s.io', 'v4.base64.channel.k8s.io'])(
    'older clients speak %s',
    async (protocol) => {
      const client = await open('busy/exec?command=some&command=words&stdout=true&stdin=true', protocol);
      await client.closed;
      const read = (channel: number) => {
        if (!protocol.includes('base64')) return textOf(client, channel);
        const bytes = client.channels.get(String(channel).charCodeAt(0)) ?? Buffer.alloc(0);
        return Buffer.from(bytes.toString(), 'base64').toString();
      };
      expect(read(1)).toBe('some words\n');
      expect(read(3)).toEqual(protocol.startsWith('v4') ? expect.stringContaining('"Success"') : '');
      const failed = await open('busy/exec?command=exit&command=3&stdout=true', protocol);
      await failed.closed;
      const words = (failed.channels.get(protocol.includes('base64') ? 0x33 : 3) ?? '').toString();
      const text = protocol.includes('base64') ? Buffer.from(words, 'base64').toString() : words;
      expect(text).toContain('command terminated with non-zero exit code');
      expect(text.startsWith('{')).toBe(protocol.startsWith('v4'));
    },
  );

  it('what they send in base64 is read', async () => {
    const client = await open('busy/exec?command=cat&stdout=true&stdin=true', 'base64.channel.k8s.io');
    client.socket.send(`0${Buffer.from('typed').toString('base64')}`);
    client.socket.send('nonsense');
    await expect.poll(() => Buffer.from(textOf(client, 0x31), 'base64').toString()).toBe('typed');
    client.socket.close();
  });

  it('logs are read piece by piece', async () => {
    for (const protocol of ['binary.k8s.io', 'base64.binary.k8s.io']) {
      const pieces: Buffer[] = [];
      const client = await open('busy/log?tailLines=5', protocol);
      client.socket.on('message', (piece: Buffer) => pieces.push(piece));
      expect(await client.closed).toBe(1000);
      const text = Buffer.concat(pieces).toString();
      const plain = protocol.startsWith('base64') ? Buffer.from(text, 'base64').toString() : text;
      expect(JSON.parse(plain)).toMatchObject({ container: 'app', tailLines: 5 });
    }
    await expect(open('busy/log?tailLines=-5', 'binary.k8s.io')).rejects.toThrow('422');
  });

  it('what is not well asked for is refused before the connection is taken over', async () => {
    await expect(open('busy/exec?stdout=true', V5)).rejects.toThrow('400');
    await expect(open('nosuch/attach', V5)).rejects.toThrow('404');
    await expect(open('busy/portforward?ports=80', 'v9.channel.k8s.io')).rejects.toThrow('400');
    await expect(open('busy/scale', V5)).rejects.toThrow('404');
    expect((await under.send('GET', `${PODS}/busy/attach`)).body.message).toContain(
      'Upgrade request required',
    );
  });
});

describe('port-forward over channels', () => {
  it('carries a connection for each port; channels begin with its number', async () => {
    const { port } = echo.address() as AddressInfo;
    const client = await open(`busy/portforward?ports=${port}&ports=${port}`, V5);
    say(client, 0, 'first');
    say(client, 2, 'second');
    for (const channel of [0, 2]) client.socket.send(Buffer.from([255, channel]));
    expect(await client.closed).toBe(1000);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    const expected = { 0: 'first', 1: '', 2: 'second', 3: '' };
    for (const [channel, text] of Object.entries(expected)) {
      expect(client.channels.get(Number(channel))).toEqual(Buffer.concat([head, Buffer.from(text)]));
    }
  });

  it('says which port nobody listens on', async () => {
    const client = await open('busy/portforward?ports=1', 'v4.channel.k8s.io');
    await client.closed;
    expect(textOf(client, 1)).toContain('error forwarding port 1 to pod busy');
  });

  it('refuses what is no port', async () => {
    for (const ports of ['', 'ports=x', 'ports=0', 'ports=70000', 'ports=80,x']) {
      await expect(open(`busy/portforward?${ports}`, V5)).rejects.toThrow('400');
    }
  });
});

// The last one: there is no server after it.
it('closing the server ends what was taken over', async () => {
  const client = await open('busy/attach?stdin=true&stdout=true', V5);
  await under.api.close();
  expect(await client.closed).toBe(1006);
});
