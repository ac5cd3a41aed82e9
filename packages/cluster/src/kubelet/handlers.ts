import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { foreignHost } from './foreign-host.ts';
import { messageOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Container as RunningContainer } from '@updraft/pods';
import type { IntOrString } from '../kinds/meta.ts';
import type { Container, Handler, HttpGet } from '../kinds/pod.ts';
import { askHealth } from './grpc-probe.ts';

/** Where a handler acts. */
export interface HandlerTarget {
  readonly container: Container;
  readonly running: RunningContainer;
  readonly podAddress: string | undefined;
  readonly clock: Clock;
}

/** How a handler went; `message` is what the event says. */
export type HandlerResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

const MAX_OUTPUT = 10 * 1024;

/** Runs a probe or a life cycle hook. Never throws: what goes wrong is its result. */
export async function runHandler(
  handler: Handler,
  target: HandlerTarget,
  timeoutMs: number,
): Promise<HandlerResult> {
  try {
    if (handler.exec) return await runExec(handler.exec.command ?? [], target, timeoutMs);
    if (handler.httpGet) return await runHttp(handler.httpGet, target, timeoutMs);
    if (handler.tcpSocket) return await runTcp(handler.tcpSocket, target, timeoutMs);
    if (handler.grpc) return await runGrpc(handler.grpc, target, timeoutMs);
    if (handler.sleep) {
      await target.clock.sleep(handler.sleep.seconds * 1000);
      return { ok: true };
    }
    return { ok: false, message: 'this kind of handler is not supported on this cluster' };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function runExec(
  command: readonly string[],
  target: HandlerTarget,
  timeoutMs: number,
): Promise<HandlerResult> {
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < MAX_OUTPUT) output += chunk.toString('utf8');
  };
  const process = await target.running.exec(command, { onStdout: collect, onStderr: collect });
  let timedOut = false;
  const cancel = target.clock.timer(timeoutMs, () => {
    timedOut = true;
    void process.kill('SIGKILL').catch(() => undefined);
  });
  const exit = await process.exited;
  cancel();
  if (timedOut)
    return {
      ok: false,
      message: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`,
    };
  if (exit.kind !== 'exited') return { ok: false, message: exit.message };
  return exit.code === 0 ? { ok: true } : { ok: false, message: output.trim() };
}

/** Whom to ask: the pod, unless the handler names another. Only pods of the host's own network may name the host itself. */
const placeOf = (named: string | undefined, { podAddress }: HandlerTarget) =>
  named && podAddress !== undefined ? foreignHost(named) : { host: named || (podAddress ?? '') };

/** A number, or the name of one of the container's ports. */
export function portNumber(container: Container, port: IntOrString): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`couldn't find port: ${JSON.stringify(port)}`);
  return named.containerPort;
}

const MAX_REDIRECTS = 10;

interface HttpTarget {
  readonly secure: boolean;
  readonly host: string;
  readonly lookup?: net.LookupFunction;
  readonly port: number;
  readonly path: string;
}

/** A redirect is followed on the same host; one that leads elsewhere is answer enough. */
async function runHttp(get: HttpGet, target: HandlerTarget, timeoutMs: number): Promise<HandlerResult> {
  const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  const endMs = target.clock.elapsed() + timeoutMs;
  let at: HttpTarget | undefined = {
    secure: get.scheme?.toUpperCase() === 'HTTPS',
    ...placeOf(get.host, target),
    port: portNumber(target.container, get.port),
    path: get.path?.startsWith('/') ? get.path : `/${get.path ?? ''}`,
  };
  for (let redirects = 0; at && redirects <= MAX_REDIRECTS; redirects += 1) {
    const leftMs = Math.max(1, endMs - target.clock.elapsed());
    const { result, location } = await askHttp(at, headers, { clock: target.clock, timeoutMs: leftMs });
    const next: HttpTarget | undefined = location === undefined ? undefined : redirected(at, location);
    if (!next) return result;
    at = next;
  }
  return { ok: false, message: `stopped after ${MAX_REDIRECTS} redirects` };
}

const urlOf = ({ secure, host, port, path }: HttpTarget) =>
  `${secure ? 'https' : 'http'}://${host}:${port}${path}`;

function redirected(from: HttpTarget, location: string): HttpTarget | undefined {
  if (!URL.canParse(location, urlOf(from))) return undefined;
  const url = new URL(location, urlOf(from));
  const secure = url.protocol === 'https:';
  if (url.hostname !== from.host) return undefined;
  const port = Number(url.port) || (secure ? 443 : 80);
  return { ...from, secure, port, path: `${url.pathname}${url.search}` };
}

interface HttpAnswer {
  readonly result: HandlerResult;
  /** Where it leads, when it does. */
  readonly location?: string | undefined;
}

function askHttp(
  at: HttpTarget,
  headers: Readonly<Record<string, string>>,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<HttpAnswer> {
  const { secure, host, lookup, port, path } = at;
  return new Promise((resolve) => {
    const options = {
      host,
      ...(lookup ? { lookup } : {}),
      port,
      path,
      agent: false,
      headers: { 'User-Agent': 'kube-probe/1.35', Accept: '*/*', Connection: 'close', ...headers },
      // A probe asks whether somebody answers, not who: the kubelet never checks certificates.
      rejectUnauthorized: false,
    } as const;
    const fail = (message: string) =>
      finish({ result: { ok: false, message: `Get "${urlOf(at)}": ${message}` } });
    const request = (secure ? https : http).get(options, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      const ok = statusCode >= 200 && statusCode < 400;
      const result = ok ? { ok } : { ok, message: `HTTP probe failed with statuscode: ${statusCode}` };
      finish({ result, location: statusCode >= 300 ? response.headers.location : undefined });
    });
    const cancel = clock.timer(timeoutMs, () =>
      fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
    );
    request.on('error', (error) => fail(dialError(error, host, port)));
    function finish(answer: HttpAnswer): void {
      cancel();
      request.destroy();
      resolve(answer);
    }
  });
}

const SERVING_WORDS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;
const UNIMPLEMENTED = 12;

async function runGrpc(
  { port, service = '' }: { port: number; service?: string },
  target: HandlerTarget,
  timeoutMs: number,
): Promise<HandlerResult> {
  const host = target.podAddress ?? '';
  const health = await askHealth({ host, port, service }, { clock: target.clock, timeoutMs });
  if (health.kind === 'timeout') {
    const what = `timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s`;
    return { ok: false, message: `${what}: context deadline exceeded` };
  }
  if (health.kind === 'unreachable') {
    const message = `error: failed to connect service "${host}:${port}": ${dialError(health.error, host, port)}`;
    return { ok: false, message };
  }
  if (health.grpcStatus === UNIMPLEMENTED) {
    return {
      ok: false,
      message: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)',
    };
  }
  if (health.grpcStatus !== 0) {
    return {
      ok: false,
      message: `error: health rpc probe failed: ${health.message || `status ${health.grpcStatus}`}`,
    };
  }
  if (health.serving === SERVING) return { ok: true };
  const words = SERVING_WORDS[health.serving] ?? String(health.serving);
  return { ok: false, message: `service unhealthy (responded with "${words}")` };
}

function runTcp(
  { host, port }: { host?: string; port: IntOrString },
  target: HandlerTarget,
  timeoutMs: number,
): Promise<HandlerResult> {
  const place = placeOf(host, target);
  const address = place.host;
  const number = portNumber(target.container, port);
  return new Promise((resolve) => {
    const socket = net.connect({ ...place, port: number });
    const cancel = target.clock.timer(timeoutMs, () =>
      finish({ ok: false, message: `dial tcp ${address}:${number}: i/o timeout` }),
    );
    socket.once('connect', () => finish({ ok: true }));
    socket.on('error', (error) => finish({ ok: false, message: dialError(error, address, number) }));
    function finish(result: HandlerResult): void {
      cancel();
      socket.destroy();
      resolve(result);
    }
  });
}

const DIAL_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

function dialError(error: NodeJS.ErrnoException, host: string, port: number): string {
  const words = DIAL_WORDS[error.code ?? ''];
  return words === undefined ? messageOf(error) : `dial tcp ${host}:${port}: ${words}`;
}
