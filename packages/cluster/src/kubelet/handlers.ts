import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { messageOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Container as RunningContainer } from '@updraft/pods';
import type { IntOrString } from '../kinds/meta.ts';
import type { Container, Handler, HttpGet } from '../kinds/pod.ts';

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

/** A number, or the name of one of the container's ports. */
export function portNumber(container: Container, port: IntOrString): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`couldn't find port: ${JSON.stringify(port)}`);
  return named.containerPort;
}

function runHttp(get: HttpGet, target: HandlerTarget, timeoutMs: number): Promise<HandlerResult> {
  const host = get.host || (target.podAddress ?? '');
  const port = portNumber(target.container, get.port);
  const secure = get.scheme?.toUpperCase() === 'HTTPS';
  const path = get.path?.startsWith('/') ? get.path : `/${get.path ?? ''}`;
  const url = `${secure ? 'https' : 'http'}://${host}:${port}${path}`;
  const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  return new Promise((resolve) => {
    const options = {
      host,
      port,
      path,
      agent: false,
      headers: { 'User-Agent': 'kube-probe/1.35', Accept: '*/*', Connection: 'close', ...headers },
      // A probe asks whether somebody answers, not who: the kubelet never checks certificates.
      rejectUnauthorized: false,
    } as const;
    const request = (secure ? https : http).get(options, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      const ok = statusCode >= 200 && statusCode < 400;
      finish(ok ? { ok } : { ok, message: `HTTP probe failed with statuscode: ${statusCode}` });
    });
    const cancel = target.clock.timer(timeoutMs, () => {
      finish({
        ok: false,
        message: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      });
    });
    request.on('error', (error) =>
      finish({ ok: false, message: `Get "${url}": ${dialError(error, host, port)}` }),
    );
    function finish(result: HandlerResult): void {
      cancel();
      request.destroy();
      resolve(result);
    }
  });
}

function runTcp(
  { host, port }: { host?: string; port: IntOrString },
  target: HandlerTarget,
  timeoutMs: number,
): Promise<HandlerResult> {
  const address = host || (target.podAddress ?? '');
  const number = portNumber(target.container, port);
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port: number });
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
