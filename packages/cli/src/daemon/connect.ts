import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import path from 'node:path';
import { Fault, codeOf, start } from '@updraft/kit';
import { createClient } from '@updraft/control';
import type { ControlClient, Transport } from '@updraft/control';
import type { Output } from '../output.ts';
import { socketTransport } from './transport.ts';

type TransportRequest = Parameters<Transport['send']>[0];

type Env = Readonly<Record<string, string | undefined>>;

export const homeOf = (env: Env): string =>
  path.resolve(env['UPDRAFT_HOME'] ?? path.join(homedir(), '.updraft'));

export const socketOf = (env: Env): string => path.join(homeOf(env), 'run', 'daemon.sock');

/** A client of the running daemon, or undefined when none runs. */
export async function connectIfRunning(env: Env): Promise<ControlClient | undefined> {
  const socket = socketOf(env);
  return (await isListening(socket)) ? createClient(socketTransport(socket)) : undefined;
}

/**
 * A client of the daemon, which is started by the first request when it does not run yet: one that runs is asked nothing
 * but what the command is about. @throws Fault, from that request on, when it cannot start here
 */
export function connect(env: Env, output: Output): ControlClient {
  const transport = socketTransport(socketOf(env));
  return createClient({
    async send(request) {
      try {
        return await transport.send(request);
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
      await startDaemon(env, output);
      return await sendToStarted(transport, request, env);
    },
  });
}

async function sendToStarted(transport: Transport, request: TransportRequest, env: Env) {
  try {
    return await transport.send(request);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new Fault('DAEMON_UNREACHABLE', 'the daemon started but does not answer', {
      cause: error,
      next: `Look at ${path.join(homeOf(env), 'daemon.log')}.`,
    });
  }
}

/** Nobody listens: nothing of the request has been read. */
const isAbsent = (error: unknown): boolean => ['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '');

function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const attempt = createConnection(socket);
    attempt.once('connect', () => {
      attempt.destroy();
      resolve(true);
    });
    attempt.once('error', (error) => (isAbsent(error) ? resolve(false) : reject(error)));
  });
}

/** What streams let go of is collected sooner, so that the size of a layer does not show in the daemon's. */
const FRUGAL = ['--max-semi-space-size=4'];

interface StartReport {
  readonly ready?: true;
  readonly fault?: { readonly code: string; readonly message: string; readonly next?: string };
}

/**
 * Starts the daemon in a mount namespace of its own: what it mounts is never seen by the host and is gone with it,
 * even after kill -9. It reports once on its standard output, then writes to its log only.
 */
async function startDaemon(env: Env, output: Output): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Fault(
      'NOT_ROOT',
      'the platform needs root: containers, networks and mounts are made by the kernel',
      {
        next: `Run it as root, for example: sudo -E ${process.argv.slice(0, 2).join(' ')} ${process.argv.slice(2).join(' ')}`,
      },
    );
  }
  output.say(output.style('dim', 'Starting the platform'));
  const home = homeOf(env);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const log = openSync(path.join(home, 'daemon.log'), 'a', 0o600);
  const program = path.join(import.meta.dirname, 'daemon.mjs');
  const namespace = ['--mount', '--propagation', 'slave'];
  const daemon = await start('unshare', [...namespace, process.execPath, ...FRUGAL, program, home], {
    env: daemonEnvironment(env),
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  const report = await firstLine(daemon.stdout);
  daemon.stdout?.destroy();
  daemon.child.unref();
  if (report.ready) return;
  const { code, message, next } = report.fault ?? {
    code: 'DAEMON_DIED',
    message: 'the daemon ended while it started',
    next: `Look at ${path.join(home, 'daemon.log')}.`,
  };
  throw new Fault(code, message, next === undefined ? {} : { next });
}

/** Settings of the user's that the daemon heeds, and what programs it starts need to reach package mirrors. */
function daemonEnvironment(env: Env): Record<string, string> {
  const kept =
    /^(UPDRAFT_.*|HOME|PATH|TMPDIR|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|npm_config_.*)$/i;
  const entries = Object.entries(env).filter(([key, value]) => kept.test(key) && value !== undefined);
  // Without it the C library keeps freed memory for each of Node's threads apart.
  return { MALLOC_ARENA_MAX: '2', ...(Object.fromEntries(entries) as Record<string, string>) };
}

async function firstLine(stream: NodeJS.ReadableStream | null): Promise<StartReport> {
  let text = '';
  for await (const chunk of stream ?? []) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  const line = text.split('\n')[0] ?? '';
  return line === '' ? {} : (JSON.parse(line) as StartReport);
}
