import { Writable } from 'node:stream';
import type { Clock } from '@updraft/kit';
import type { WebSocket } from 'ws';
import { PodsFault } from '../fault.ts';
import type { ClusterApi } from './api.ts';

/** Kubernetes 1.30 and later, and 1.4 and later: the former can tell a program that its input is over. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const RESIZE = 4;
const CLOSE = 255;

/** Load balancers close what is silent; and who does not answer so often is gone. */
const PING_EVERY_MS = 20_000;
const UNANSWERED_PINGS = 3;

export interface ExecRequest {
  /** Path of the pod. */
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly terminal?: boolean;
  /** A promise holds back what comes next until it is kept. */
  readonly onStdout: (chunk: Buffer) => void | Promise<void>;
  readonly onStderr: (chunk: Buffer) => void | Promise<void>;
}

/** How a command in a container ended, as far as anyone knows. */
export type ExecEnd =
  | { readonly kind: 'exited'; readonly code: number }
  /** The node's words: there is no such program. */
  | { readonly kind: 'failed'; readonly message: string }
  /** The connection broke before it was told. */
  | { readonly kind: 'lost' };

export interface ExecSession {
  /** Ended, the program's input is over, where the cluster can say so. */
  readonly stdin: Writable;
  /** The cluster can tell a program that its input is over. */
  readonly endsInput: boolean;
  readonly ended: Promise<ExecEnd>;
  resize(columns: number, rows: number): void;
  close(): void;
}

/** Runs a command in a container of a pod that runs. @throws ClusterRefusal, PodsFault */
export async function openExec(api: ClusterApi, clock: Clock, exec: ExecRequest): Promise<ExecSession> {
  const query = new URLSearchParams({ container: exec.container, stdin: 'true', stdout: 'true' });
  if (exec.terminal) query.set('tty', 'true');
  else query.set('stderr', 'true');
  for (const word of exec.command) query.append('command', word);
  const socket = await api.connect(`${exec.pod}/exec?${query.toString()}`, PROTOCOLS);
  const endsInput = socket.protocol === PROTOCOLS[0];
  const send = (channel: number, data: Uint8Array | string, done?: (error?: Error | null) => void) =>
    socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]), done);
  return {
    stdin: new Writable({
      write: (chunk: Buffer, _encoding, done) => send(STDIN, chunk, done),
      final: (done) => {
        if (endsInput && socket.readyState === socket.OPEN) send(CLOSE, Uint8Array.of(STDIN), () => done());
        else done();
      },
    }).on('error', () => undefined),
    endsInput,
    ended: listen(socket, clock, exec),
    resize: (columns, rows) => {
      if (socket.readyState === socket.OPEN) send(RESIZE, JSON.stringify({ Width: columns, Height: rows }));
    },
    close: () => socket.terminate(),
  };
}

function listen(socket: WebSocket, clock: Clock, exec: ExecRequest): Promise<ExecEnd> {
  let end: ExecEnd = { kind: 'lost' };
  const stopPinging = keepAlive(socket, clock);
  let held = 0;
  const hold = (taken: void | Promise<void>) => {
    if (!taken) return;
    held += 1;
    socket.pause();
    const go = () => {
      held -= 1;
      if (held === 0) socket.resume();
    };
    taken.then(go, go);
  };
  socket.on('message', (data: Buffer) => {
    const rest = data.subarray(1);
    if (rest.length === 0) return;
    if (data[0] === STDOUT) hold(exec.onStdout(rest));
    else if (data[0] === STDERR) hold(exec.onStderr(rest));
    else if (data[0] === STATUS) end = endOf(rest.toString('utf8'));
  });
  socket.on('error', () => socket.terminate());
  return new Promise((resolve) => {
    socket.once('close', () => {
      stopPinging();
      resolve(end);
    });
    // It may have closed while it was being handed over.
    if (socket.readyState === socket.CLOSED) resolve(end);
  });
}

function keepAlive(socket: WebSocket, clock: Clock): () => void {
  let unanswered = 0;
  let cancel = (): void => undefined;
  const ping = () => {
    if (unanswered >= UNANSWERED_PINGS) return socket.terminate();
    unanswered += 1;
    if (socket.readyState === socket.OPEN) socket.ping();
    cancel = clock.timer(PING_EVERY_MS, ping);
  };
  socket.on('pong', () => (unanswered = 0));
  cancel = clock.timer(PING_EVERY_MS, ping);
  return () => cancel();
}

interface Status {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** The error channel's last word. */
export function endOf(text: string): ExecEnd {
  let status: Status;
  try {
    status = JSON.parse(text) as Status;
  } catch {
    return { kind: 'failed', message: text };
  }
  if (status.status === 'Success') return { kind: 'exited', code: 0 };
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (status.reason === 'NonZeroExitCode' && code !== undefined)
    return { kind: 'exited', code: Number(code) };
  return { kind: 'failed', message: status.message ?? 'the command could not be run' };
}

/** A whole command whose output is small. @throws PodsFault CLUSTER_REFUSED when it did not end well */
export async function runExec(
  api: ClusterApi,
  clock: Clock,
  request: Pick<ExecRequest, 'pod' | 'container' | 'command'>,
  input?: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  const errors: Buffer[] = [];
  const session = await openExec(api, clock, {
    ...request,
    onStdout: (chunk) => void chunks.push(chunk),
    onStderr: (chunk) => void errors.push(chunk),
  });
  if (input !== undefined) session.stdin.write(input);
  const end = await session.ended;
  if (end.kind === 'exited' && end.code === 0) return Buffer.concat(chunks).toString('utf8');
  const why = end.kind === 'failed' ? end.message : Buffer.concat(errors).toString('utf8').trim();
  throw new PodsFault(
    'CLUSTER_REFUSED',
    `a command in ${request.container} ended with ${codeOf(end)}: ${why}`,
  );
}

const codeOf = (end: ExecEnd): string => (end.kind === 'exited' ? String(end.code) : end.kind);
