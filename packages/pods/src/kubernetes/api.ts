import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { messageOf } from '@updraft/kit';
import { WebSocket } from 'ws';
import { PodsFault } from '../fault.ts';
import type { ClusterCredentials } from './credentials.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** The API server said no. */
export class ClusterRefusal extends PodsFault {
  readonly status: number;

  constructor(status: number, message: string) {
    super('CLUSTER_REFUSED', message, nextFor(status));
    this.status = status;
  }
}

function nextFor(status: number): { next?: string } {
  if (status === 401) return { next: 'The credentials of the kubeconfig are not accepted: sign in again.' };
  if (status === 403) {
    return {
      next: 'Its account may not do that: it needs create, get, list and delete of pods and secrets, and pods/exec and pods/log.',
    };
  }
  return {};
}

export interface Call {
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** The few calls of Kubernetes' API that running pods takes, by whoever the credentials say. */
export interface ClusterApi {
  readonly name: string;
  /** @throws ClusterRefusal with the server's words; PodsFault CLUSTER_UNREACHABLE, CLUSTER_CREDENTIALS */
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, call?: Call): Promise<T>;
  /** An answer as it comes. */
  stream(path: string): Promise<IncomingMessage>;
  /** An upgrade to WebSocket; resolves once it is open. */
  connect(path: string, protocols: readonly string[]): Promise<WebSocket>;
  close(): void;
}

/** An API server that says nothing for so long is not there. */
const SILENCE_MS = 30_000;
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

export function createClusterApi(access: ClusterAccess, credentials: ClusterCredentials): ClusterApi {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const send = async (method: string, path: string, call: Call = {}): Promise<IncomingMessage> => {
    const { target, headers } = await addressed(access, credentials, path);
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const asked = { ...target, agent, method, headers: { ...headers, ...contentHeaders(body) } };
    const { signal } = call;
    return exchange(signal ? { ...asked, signal } : asked, body).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw unreachable(access, error);
    });
  };
  /** What an exec plugin gave may have been taken back before its time. */
  const answered = async (method: string, path: string, call?: Call): Promise<IncomingMessage> => {
    const first = await send(method, path, call);
    if (first.statusCode !== 401) return first;
    first.resume();
    credentials.forget();
    return send(method, path, call);
  };
  return {
    name: access.name,
    async call<T>(method: string, path: string, call?: Call) {
      const response = await answered(method, path, call);
      const text = await textOf(response).catch((error: unknown) => {
        throw unreachable(access, error);
      });
      if ((response.statusCode ?? 0) < 300) return JSON.parse(text) as T;
      throw refusal(response.statusCode ?? 0, text);
    },
    async stream(path) {
      const response = await answered('GET', path);
      if ((response.statusCode ?? 0) < 300) return response;
      throw refusal(response.statusCode ?? 0, await textOf(response));
    },
    async connect(path, protocols) {
      const { target, headers } = await addressed(access, credentials, path);
      const { path: full, ...tls } = target;
      const socket = new WebSocket(`wss://${access.server.host}${full}`, [...protocols], {
        ...tls,
        headers,
        handshakeTimeout: SILENCE_MS,
        perMessageDeflate: false,
      });
      await opened(socket, access);
      return socket;
    },
    close: () => agent.destroy(),
  };
}

interface Addressed {
  readonly target: {
    readonly host: string;
    readonly port: number;
    readonly path: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
  readonly headers: Readonly<Record<string, string>>;
}

async function addressed(
  { server, authority, tlsServerName }: ClusterAccess,
  credentials: ClusterCredentials,
  path: string,
): Promise<Addressed> {
  const { token, certificate, key } = await credentials.current();
  return {
    target: {
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: Number(server.port || 443),
      path: `${server.pathname.replace(/\/$/, '')}${path}`,
      ...(authority === undefined ? {} : { ca: authority }),
      ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    },
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  };
}

/** Node sends the length of no DELETE by itself. */
const contentHeaders = (body: string | undefined): Record<string, string> =>
  body === undefined
    ? {}
    : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };

function exchange(options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request({ ...options, timeout: SILENCE_MS }, (response) => {
      // A log that is followed may be silent for hours.
      response.socket.setTimeout(0);
      resolve(response);
    });
    asking.once('timeout', () => asking.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)));
    asking.once('error', reject);
    asking.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function opened(socket: WebSocket, access: ClusterAccess): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_asked, response) => {
      const fail = (text: string) => reject(refusal(response.statusCode ?? 0, text));
      textOf(response).then(fail, () => fail(''));
      socket.on('error', () => undefined);
    });
    socket.once('error', (error) => reject(unreachable(access, error)));
  });
}

function refusal(status: number, text: string): ClusterRefusal {
  let message = text.trim().slice(0, 500) || `the API server answered ${status}`;
  try {
    const value = JSON.parse(text) as { message?: unknown } | null;
    if (typeof value?.message === 'string') ({ message } = value as { message: string });
  } catch {
    // Proxies in front of an API server answer in their own way.
  }
  return new ClusterRefusal(status, message);
}

const unreachable = ({ name, server }: ClusterAccess, error: unknown): PodsFault =>
  new PodsFault(
    'CLUSTER_UNREACHABLE',
    `the cluster ${name} (${server.host}) does not answer: ${messageOf(error)}`,
    {
      cause: error,
      next: 'Is it running, and reached from this machine? kubectl get namespaces with the same kubeconfig tells.',
    },
  );
