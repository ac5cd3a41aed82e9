import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Duplex } from 'node:stream';
import { messageOf } from '@updraft/kit';
import type { ContainerExit, Process } from '@updraft/pods';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { ApiContext } from './context.ts';
import { chooseContainer, containerStatus } from './containers.ts';
import { recordAt } from './admission/members.ts';
import { flag } from './request.ts';
import { badRequest, statusOf } from './status.ts';
import type { KubeObject } from '../store/types.ts';
import { existing } from './write.ts';
import type { Named } from './write.ts';

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5: the next byte names a channel whose sender is done. */
const CLOSE = 255;
const KILLED = 137;

interface ExecRequest {
  readonly pod: KubeObject;
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly terminal: boolean;
}

const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => PROTOCOLS.find((name) => offered.has(name)) ?? false,
});

/** Whether the client speaks a channel protocol that we speak. */
export function offersChannels(message: IncomingMessage): boolean {
  const offered = (message.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return PROTOCOLS.some((name) => offered.includes(name));
}

/** What `pods/NAME/exec` asks for. @throws ApiFault 400, 404 */
export function readExec(context: ApiContext, query: URLSearchParams, named: Named): ExecRequest {
  const pod = existing(context, named);
  const container = chooseContainer(pod, query.get('container'));
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least one command for the container');
  if (recordAt(containerStatus(pod, container), 'state')['running'] === undefined) {
    throw badRequest(
      `container ${JSON.stringify(container)} of pod ${JSON.stringify(pod.metadata.name)} is not running`,
    );
  }
  return { pod, container, command, stdin: flag(query, 'stdin'), terminal: flag(query, 'tty') };
}

/** Takes the connection over and runs the command; its exit is told on the error channel. */
export function serveExec(
  context: ApiContext,
  exec: ExecRequest,
  upgrade: { readonly message: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
): void {
  sockets.handleUpgrade(upgrade.message, upgrade.socket, upgrade.head, (socket) => {
    void runExec(context, exec, socket);
  });
}

async function runExec(context: ApiContext, exec: ExecRequest, socket: WebSocket): Promise<void> {
  const send = (channel: number, chunk: Buffer | string) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(chunk)]));
  };
  const stdin = exec.stdin ? new PassThrough() : undefined;
  const session: Session = { stdin, process: undefined, size: undefined };
  socket.on('message', (data: Buffer) => receive(session, data));
  socket.on('error', () => socket.terminate());
  socket.once('close', () => {
    stdin?.destroy();
    void session.process?.kill('SIGKILL').catch(() => undefined);
  });
  try {
    session.process = await context.kubelet.exec(exec.pod, {
      container: exec.container,
      command: exec.command,
      terminal: exec.terminal,
      ...(stdin ? { stdin } : {}),
      onStdout: (chunk) => send(STDOUT, chunk),
      onStderr: (chunk) => send(STDERR, chunk),
    });
    if (session.size) session.process.resize?.(session.size.Width, session.size.Height);
    if (socket.readyState !== socket.OPEN) await session.process.kill('SIGKILL');
    const exit = await session.process.exited;
    session.process = undefined;
    send(ERROR, JSON.stringify(exitStatus(exit)));
  } catch (error) {
    session.process = undefined;
    send(ERROR, JSON.stringify(statusOf(error)));
  }
  socket.close(1000);
}

interface Session {
  readonly stdin: PassThrough | undefined;
  process: Process | undefined;
  size: { readonly Width: number; readonly Height: number } | undefined;
}

function receive(session: Session, data: Buffer): void {
  const channel = data[0];
  const rest = data.subarray(1);
  if (channel === STDIN) session.stdin?.write(rest);
  else if (channel === CLOSE && rest[0] === STDIN) session.stdin?.end();
  else if (channel === RESIZE) resize(session, rest);
}

function resize(session: Session, data: Buffer): void {
  try {
    const size = JSON.parse(data.toString('utf8')) as { Width?: unknown; Height?: unknown };
    if (typeof size.Width !== 'number' || typeof size.Height !== 'number') return;
    session.size = { Width: size.Width, Height: size.Height };
    session.process?.resize?.(size.Width, size.Height);
  } catch {
    // A size that cannot be read leaves the size as it is.
  }
}

/** How a command ended, as clients read it from the error channel. */
export function exitStatus(exit: ContainerExit): unknown {
  const base = { kind: 'Status', apiVersion: 'v1', metadata: {} };
  if (exit.kind === 'exited' && exit.code === 0) return { ...base, status: 'Success' };
  if (exit.kind === 'exited') {
    const code = exit.outOfMemory ? KILLED : exit.code;
    return {
      ...base,
      status: 'Failure',
      message: `command terminated with non-zero exit code: exit status ${code}`,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
    };
  }
  const message = `Internal error occurred: error executing command in container: ${messageOf(exit.message)}`;
  return {
    ...base,
    status: 'Failure',
    message,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}
