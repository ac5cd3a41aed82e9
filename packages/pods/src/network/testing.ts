import { PassThrough } from 'node:stream';
import { NODE_IN_CONTAINER, toolsContainer } from '../testing/host-tools.ts';
import type { Pod } from '../types.ts';

/** A program inside a pod that does what it is told: quicker than a container for each question. */
export interface Agent {
  readonly address: string;
  /** What a TCP connection ends in: what the other side says first, or an error's code. */
  tcp(host: string, port: number): Promise<string>;
  /** The answer to a datagram; `silence` without one. `from`: always by the same port of the agent. */
  udp(host: string, port: number, from?: number): Promise<string>;
  /** Answers TCP connections and datagrams on a port with the agent's name and who asked. */
  listen(port: number): Promise<void>;
  /** Runs Python as root, which in a pod may make any packet. */
  python(script: string): Promise<string>;
}

const PROGRAM = `
const net = require('net'), dgram = require('dgram'), { execFile } = require('child_process');
const name = process.argv[1];
const acts = {
  tcp: ({ host, port }, done) => {
    const socket = net.connect({ host, port, timeout: 1500 });
    socket.on('data', (data) => { done(String(data)); socket.destroy(); });
    socket.on('end', () => done('end'));
    socket.on('error', (error) => done(error.code));
    socket.on('timeout', () => { done('timeout'); socket.destroy(); });
  },
  udp: ({ host, port, from }, done) => {
    const socket = dgram.createSocket('udp4');
    const end = (text) => { clearTimeout(timer); try { socket.close(); } catch {} done(text); };
    const timer = setTimeout(() => end('silence'), 700);
    socket.on('message', (data) => end(String(data)));
    socket.on('error', (error) => end(error.code));
    socket.bind(from ?? 0, () => socket.connect(port, host, () => socket.send('x')));
  },
  listen: ({ port }, done) => {
    const udp = dgram.createSocket('udp4');
    udp.on('message', (_data, from) => udp.send(name + ' ' + from.address, from.port, from.address));
    udp.bind(port);
    net.createServer((socket) => socket.end(name + ' ' + socket.remoteAddress)).listen(port, '0.0.0.0', () => done('ok'));
  },
  python: ({ script }, done) =>
    execFile('python3', ['-c', script], (error, out, err) => done(out + err)),
};
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, act, ...rest } = JSON.parse(line);
  acts[act](rest, (text) => console.log(JSON.stringify({ id, text })));
});
`;

export async function startAgent(pod: Pod, name: string): Promise<Agent> {
  const stdin = new PassThrough();
  const waiting = new Map<number, (text: string) => void>();
  let rest = '';
  const onStdout = (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { id, text } = JSON.parse(line) as { id: number; text: string };
      waiting.get(id)?.(text);
      waiting.delete(id);
    }
  };
  const spec = toolsContainer([NODE_IN_CONTAINER, '-e', PROGRAM, name], {
    name: 'agent',
    env: { PATH: '/usr/bin:/bin' },
  });
  await pod.start(spec, { stdin, onStdout, onStderr: (chunk) => void process.stderr.write(chunk) });
  let serial = 0;
  const ask = (act: string, options: object): Promise<string> => {
    serial += 1;
    const id = serial;
    stdin.write(`${JSON.stringify({ ...options, id, act })}\n`);
    return new Promise((resolve) => waiting.set(id, resolve));
  };
  return {
    address: pod.address ?? '',
    tcp: (host, port) => ask('tcp', { host, port }),
    udp: (host, port, from) => ask('udp', { host, port, from }),
    listen: async (port) => void (await ask('listen', { port })),
    python: (script) => ask('python', { script }),
  };
}
