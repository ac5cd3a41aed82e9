import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { silentLogger, systemClock, writeFileAtomic } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { connectTo } from '@updraft/pods';
import type { ContainerExit } from '@updraft/pods';
import { openResourceStore } from '../../store/store.ts';
import type { KubeObject, ResourceStore } from '../../store/types.ts';
import { ensureDefaultRoles } from '../authorization/bootstrap.ts';
import { createCredentials, kubeconfigYaml } from '../credentials.ts';
import type { Credentials } from '../credentials.ts';
import type { AttachOptions, ExecOptions, KubeletPort, LogOptions } from '../ports.ts';
import { createApiServer } from '../server.ts';
import type { ApiServer, ApiServerOptions } from '../server.ts';

export interface Reply {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  readonly text: string;
  // Tests read into it freely.
  // eslint-disable-next-line typescript/no-explicit-any -- the shape is what each test is about
  readonly body: any;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the administrator's certificate. */
  readonly anonymous?: boolean;
}

/** A real API server on loopback with a store in memory and a kubelet that echoes. */
export interface ApiUnderTest {
  readonly api: ApiServer;
  readonly store: ResourceStore;
  readonly port: number;
  readonly credentials: Credentials;
  readonly dir: string;
  /** Path of a kubeconfig. */
  readonly kubeconfig: string;
  send(method: string, path: string, options?: SendOptions): Promise<Reply>;
  /** Opens a watch; `lines` grows. */
  watch(path: string): Promise<{ lines: Record<string, unknown>[]; ended: Promise<void>; stop(): void }>;
  close(): Promise<void>;
}

export async function startApi(
  options: { clock?: Clock; historySize?: number } & Pick<ApiServerOptions, 'limits'> = {},
): Promise<ApiUnderTest> {
  const { clock = systemClock, historySize = 4096 } = options;
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-api-'));
  const store = openResourceStore({ file: ':memory:', clock, historySize });
  store.create('namespaces', namespace('default'));
  ensureDefaultRoles(store);
  const credentials = await createCredentials(path.join(dir, 'pki'), { clock });
  const api = createApiServer({
    store,
    kubelet: echoKubelet,
    credentials,
    serviceCidr: '10.96.0.0/24',
    clock,
    logger: silentLogger,
    version: '0.0.0',
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const port = await api.listen({ port: 0, addresses: ['127.0.0.1'] });
  const kubeconfig = path.join(dir, 'kubeconfig');
  await writeFileAtomic(kubeconfig, kubeconfigYaml(credentials, `https://127.0.0.1:${port}`), {
    mode: 0o600,
  });
  // Connections are used again: making one costs more than most requests.
  const agent = new Agent({ keepAlive: true });
  const open = (method: string, where: string, options: SendOptions) =>
    connect({ port, credentials, agent }, method, where, options);
  return {
    api,
    store,
    port,
    credentials,
    dir,
    kubeconfig,
    async send(method, where, options = {}) {
      const message = await open(method, where, options);
      const bytes = Buffer.concat(await message.toArray());
      const text = bytes.toString('utf8');
      return { code: message.statusCode ?? 0, headers: message.headers, bytes, text, body: parsed(text) };
    },
    async watch(where) {
      const message = await open('GET', where, {});
      const lines: Record<string, unknown>[] = [];
      return { lines, ended: collect(message, lines), stop: () => message.destroy() };
    },
    async close() {
      agent.destroy();
      await api.close();
      store.close();
      await rm(dir, { recursive: true });
    },
  };
}

export function namespace(name: string): KubeObject {
  const metadata = { name, uid: '', resourceVersion: '', creationTimestamp: '' };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata,
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

function connect(
  server: { readonly port: number; readonly credentials: Credentials; readonly agent: Agent },
  method: string,
  where: string,
  options: SendOptions,
): Promise<IncomingMessage> {
  const { credentials, port } = server;
  const body =
    options.body === undefined || Buffer.isBuffer(options.body) ? options.body : JSON.stringify(options.body);
  const identity = options.anonymous
    ? {}
    : { cert: credentials.client.certificate, key: credentials.client.key };
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path: where,
        ca: credentials.ca,
        agent: server.agent,
        ...identity,
        headers: { ...bodyHeaders(body, options.type), ...options.headers },
      },
      resolve,
    );
    request.once('error', reject);
    request.end(body);
  });
}

/** Node sends the body of a DELETE without its length unless told. */
function bodyHeaders(body: string | Buffer | undefined, type = 'application/json'): Record<string, string> {
  return body === undefined
    ? {}
    : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function collect(message: IncomingMessage, lines: Record<string, unknown>[]): Promise<void> {
  let rest = '';
  try {
    for await (const chunk of message) {
      const parts = `${rest}${String(chunk)}`.split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) lines.push(JSON.parse(line) as Record<string, unknown>);
    }
  } catch {
    // Stopped by the test.
  }
}

/** What the command `keep` has read. */
export const keptInput: Buffer[] = [];

/**
 * Understands `cat` (stdin to stdout), `keep` (reads late, and slowly, into `keptInput`), `exit N`, `flood N` (MiB), and echoes anything else; `missing` cannot be started.
 * Logs tell the options they were asked with.
 */
export const echoKubelet: KubeletPort = {
  logs: async (_pod: KubeObject, options: LogOptions) =>
    Readable.from([Buffer.from(`${JSON.stringify(options)}\n`)]),
  attach: async (_pod: KubeObject, options: AttachOptions) => ({
    exited: runEcho({ ...options, command: ['cat'] }),
    detach: () => undefined,
  }),
  forward: (_pod: KubeObject, port: number) => connectTo('127.0.0.1', port),
  exec: async (_pod: KubeObject, options: ExecOptions) => ({
    stdin: undefined,
    exited: runEcho(options),
    kill: async () => undefined,
    resize: () => undefined,
  }),
};

async function runEcho(options: AttachOptions & Pick<ExecOptions, 'command'>): Promise<ContainerExit> {
  const [program = '', argument = ''] = options.command;
  if (program === 'missing') return { kind: 'couldNotStart', message: 'no such file or directory' };
  if (program === 'exit') return { kind: 'exited', code: Number(argument), outOfMemory: false };
  if (program === 'keep') await keep(options);
  else if (program === 'cat')
    for await (const chunk of options.stdin ?? []) await options.onStdout(chunk as Buffer);
  else if (program === 'flood') await flood(options, Number(argument));
  else await options.onStdout(Buffer.from(`${options.command.join(' ')}\n`));
  await options.onStderr(Buffer.from(''));
  return { kind: 'exited', code: 0, outOfMemory: false };
}

async function keep({ stdin }: AttachOptions): Promise<void> {
  for await (const chunk of stdin ?? []) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    keptInput.push(chunk as Buffer);
  }
}

async function flood(options: Pick<AttachOptions, 'onStdout'>, mebibytes: number): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let left = mebibytes * 16; left > 0; left -= 1) await options.onStdout(chunk);
}
