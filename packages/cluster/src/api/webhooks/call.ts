import { lookup } from 'node:dns/promises';
import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '@updraft/kit';
import { whyUnroutable } from '../../kinds/special-addresses.ts';
import type { ApiContext } from '../context.ts';
import { serviceDestination } from '../proxy/destination.ts';
import type { ClientConfig, ServiceReference } from './configuration.ts';

type Place = Pick<ApiContext, 'store' | 'kubelet'>;

/** Somebody who is called, before it is known whether he is there. */
interface Callee {
  /** What his certificate must be for. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  connect(signal: AbortSignal): Promise<Duplex>;
}

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const HTTPS_PORT = 443;

export interface Call {
  readonly client: ClientConfig;
  readonly body: string;
  readonly timeoutSeconds: number;
  /** Aborted when the time is over, or nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Posts a body to a webhook and gives its answer. Only whoever has a certificate of the configured authority is told
 * anything. Rejects with an Error that says what did not work, in Kubernetes' words.
 */
export async function post(place: Place, call: Call): Promise<string> {
  const { service, url } = call.client;
  const callee = service ? inCluster(place, service) : outside(url ?? '');
  const query = `${callee.path}?timeout=${call.timeoutSeconds}s`;
  const address = service ? `${callee.host}:${callee.port}` : new URL(url ?? '').host;
  try {
    return await exchange(callee, { ...call, query, address });
  } catch (error) {
    const why = call.signal.aborted ? messageOf(call.signal.reason) : tlsWords(error);
    throw new Error(`Post "https://${address}${query}": ${why}`, { cause: error });
  }
}

/** As the proxy to services does it: through the network of a pod that is ready. */
function inCluster(place: Place, service: ServiceReference): Callee {
  const { name, namespace, port, path = '/' } = service;
  return {
    host: `${name}.${namespace}.svc`,
    port,
    path: path === '' ? '/' : path,
    connect: async () => serviceDestination(place, { namespace, name, port }).connect(),
  };
}

function outside(text: string): Callee {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || HTTPS_PORT);
  return { host, port, path: url.pathname, connect: async (signal) => connectOutside(host, port, signal) };
}

/** The daemon itself listens on loopback: nobody makes it call itself, by whatever name. */
async function connectOutside(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const found = isIP(host) ? [{ address: host }] : await lookup(host, { all: true });
  for (const { address } of found) {
    const why = whyUnroutable(address);
    if (why) throw new Error(`${address} is not called: ${why}`);
  }
  const socket = connectTcp({ host: found[0]?.address ?? host, port, signal });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

interface Exchange extends Call {
  readonly query: string;
  readonly address: string;
}

async function exchange(callee: Callee, call: Exchange): Promise<string> {
  const plain = await unlessAborted(callee.connect(call.signal), call.signal);
  const stop = () => plain.destroy();
  call.signal.addEventListener('abort', stop, { once: true });
  try {
    const secure = await handshake(plain, callee.host, call.client);
    return await ask(secure, call);
  } finally {
    call.signal.removeEventListener('abort', stop);
    plain.destroy();
  }
}

/** A connection that comes when nobody waits for it any more is closed. */
async function unlessAborted(connecting: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  let give: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    give = () => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } catch (error) {
    connecting.then((late) => late.destroy()).catch(() => undefined);
    throw error;
  } finally {
    if (give) signal.removeEventListener('abort', give);
  }
}

async function handshake(socket: Duplex, host: string, { caBundle = '' }: ClientConfig): Promise<Duplex> {
  const authority = Buffer.from(caBundle, 'base64');
  if (authority.length > 0 && !authority.includes('-----BEGIN CERTIFICATE-----'))
    throw new Error('unable to load root certificates: unable to parse bytes as PEM block');
  const secure = connectTls({
    socket,
    host,
    ...(isIP(host) ? {} : { servername: host }),
    ...(authority.length > 0 ? { ca: authority } : {}),
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
  });
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve);
    secure.once('error', reject);
    socket.once('close', () => reject(new Error('EOF')));
  });
  return secure;
}

async function ask(socket: Duplex, { body, query, address }: Exchange): Promise<string> {
  const request = http.request({
    method: 'POST',
    path: query,
    createConnection: () => socket,
    headers: {
      host: address,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json, */*',
      'user-agent': 'kube-apiserver-admission',
      connection: 'close',
    },
  });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new Error('EOF')));
    request.end(body);
  });
  const text = await readAnswer(answer);
  const code = answer.statusCode ?? 0;
  // Whoever sends elsewhere is not followed: what is asked may be secret.
  if (code < 200 || code > 299) throw new Error(wordsFor(code, text));
  return text;
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new Error(`the answer is too large: more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const LONGEST_QUOTE = 2048;

function wordsFor(code: number, text: string): string {
  if (code === 404) return 'the server could not find the requested resource';
  if (code === 400) return 'the server rejected our request for an unknown reason';
  if (code === 503) return 'the server is currently unable to handle the request';
  const quote = JSON.stringify(text.trim().slice(0, LONGEST_QUOTE) || `unknown, status ${code}`);
  return `an error on the server (${quote}) has prevented the request from succeeding`;
}

const TLS_WORDS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  CERT_SIGNATURE_FAILURE: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};

function tlsWords(error: unknown): string {
  const { code = '' } = error as { code?: string };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { host = '', reason = '' } = error as { host?: string; reason?: string };
    return `tls: failed to verify certificate: x509: certificate is not valid for ${host}: ${reason}`;
  }
  const words = TLS_WORDS[code];
  return words ? `tls: failed to verify certificate: x509: ${words}` : messageOf(error);
}
