import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startApi } from '../testing/api-under-test.ts';
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

  it('what is not well asked for is refused before the connection is taken over', async () => {
    await expect(open('busy/exec?stdout=true', V5)).rejects.toThrow('400');
    await expect(open('nosuch/attach', V5)).rejects.toThrow('404');
    await expect(open('busy/portforward?ports=80', 'v9.channel.k8s.io')).rejects.toThrow('400');
    await expect(open('busy/log', V5)).rejects.toThrow('404');
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
