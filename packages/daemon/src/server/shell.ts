import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { PassThrough } from 'node:stream';
import { Fault, codeOf, messageOf } from '@updraft/kit';
import { FrameReader, SHELL_HEADER, SHELL_PROTOCOL, encodeFrame } from '@updraft/control';
import type { FaultView, Frame, FrameKind, ShellRequest } from '@updraft/control';
import type { Runner, ShellSession } from '@updraft/runner';

const PATH = /^\/v1\/runs\/(\d+)\/jobs\/([^/]+)\/shell$/;

/** Upgrades a request to a shell in a job. The shell ends when the client goes away. */
export async function serveShell(runner: Runner, request: IncomingMessage, socket: Duplex): Promise<void> {
  const aborted = new AbortController();
  socket.on('error', () => aborted.abort());
  socket.once('close', () => aborted.abort());
  try {
    const [, run = '', job = ''] = PATH.exec(request.url ?? '') ?? [];
    if (run === '' || request.headers.upgrade !== SHELL_PROTOCOL) {
      return refuse(socket, 404, { code: 'NO_SUCH_ROUTE', message: 'no such upgrade', next: undefined });
    }
    const asked = { run: Number(run), job: decodeURIComponent(job) };
    await attach(socket, runner, { asked, wish: wishOf(request), signal: aborted.signal });
  } catch (error) {
    refuse(socket, error instanceof Fault ? 409 : 500, {
      code: codeOf(error) ?? 'UNEXPECTED',
      message: messageOf(error),
      next: error instanceof Fault ? error.next : undefined,
    });
  }
}

function wishOf(request: IncomingMessage): ShellRequest {
  const header = request.headers[SHELL_HEADER];
  const wish: unknown = JSON.parse(decodeURIComponent(typeof header === 'string' ? header : '{}'));
  const { command, terminal } = wish as Partial<ShellRequest>;
  return {
    command: (Array.isArray(command) ? command : []).map(String),
    ...(terminal ? { terminal: { columns: terminal.columns, rows: terminal.rows } } : {}),
  };
}

interface Attached {
  readonly asked: { readonly run: number; readonly job: string };
  readonly wish: ShellRequest;
  readonly signal: AbortSignal;
}

/** What is said while the job's place is made comes before the upgrade is answered, as standard error after it. */
async function attach(socket: Duplex, runner: Runner, { asked, wish, signal }: Attached): Promise<void> {
  const stdin = new PassThrough();
  const early: Uint8Array[] = [];
  let isOpen = false;
  const send = (kind: FrameKind, payload: Uint8Array) => {
    const frame = encodeFrame(kind, payload);
    if (!isOpen) early.push(frame);
    else if (!socket.destroyed) socket.write(frame);
  };
  const session = await runner.shell(
    asked,
    {
      stdin,
      onStdout: (chunk) => send('stdout', chunk),
      onStderr: (chunk) => send('stderr', chunk),
      terminal: wish.terminal,
      command: wish.command,
    },
    signal,
  );
  isOpen = true;
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${SHELL_PROTOCOL}\r\n\r\n`,
  );
  const note = session.resumed
    ? 'The files are as the failed job left them\n'
    : 'The files are as the job finds them\n';
  send('stderr', Buffer.from(note));
  for (const frame of early) socket.write(frame);
  receive(socket, session, stdin);
  const code = await session.ended;
  send('exit', Buffer.from(JSON.stringify(code)));
  socket.end();
}

function receive(socket: Duplex, session: ShellSession, stdin: PassThrough): void {
  const reader = new FrameReader();
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of reader.push(chunk)) take(frame, session, stdin);
    } catch {
      socket.destroy();
    }
  });
  socket.once('end', () => stdin.end());
}

function take({ kind, payload }: Frame, session: ShellSession, stdin: PassThrough): void {
  if (kind === 'stdin') stdin.write(payload);
  else if (kind === 'end') stdin.end();
  else if (kind === 'resize') {
    const { columns, rows } = JSON.parse(Buffer.from(payload).toString()) as {
      columns: number;
      rows: number;
    };
    session.resize(columns, rows);
  }
}

function refuse(socket: Duplex, status: number, view: FaultView): void {
  if (socket.destroyed) return;
  const body = JSON.stringify(view);
  const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nConnection: close`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
