import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  ControlError,
  FrameReader,
  SHELL_HEADER,
  SHELL_PROTOCOL,
  encodeFrame,
  shellPath,
} from '@updraft/control';
import type { FaultView, Frame, ShellRequest } from '@updraft/control';
import { Fault } from '@updraft/kit';

interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Joins this terminal to a shell in a job. @returns its exit code. @throws ControlError, Fault DAEMON_DIED */
export async function attachShell(
  socketPath: string,
  job: { readonly run: number; readonly name: string },
  wish: ShellRequest,
  terminal: Terminal,
): Promise<number> {
  const { socket, head } = await upgrade(socketPath, shellPath(job.run, job.name), wish);
  const { stdin, stdout } = terminal;
  const isRaw = wish.terminal !== undefined;
  const resize = () => {
    const size = JSON.stringify({ columns: stdout.columns, rows: stdout.rows });
    socket.write(encodeFrame('resize', Buffer.from(size)));
  };
  if (isRaw) {
    stdin.setRawMode(true);
    stdout.on('resize', resize);
  }
  const onInput = (chunk: Buffer) => void socket.write(encodeFrame('stdin', chunk));
  const onEnd = () => void socket.write(encodeFrame('end'));
  stdin.on('data', onInput);
  stdin.once('end', onEnd);
  try {
    return await exitOf(socket, head, terminal);
  } finally {
    stdin.off('data', onInput);
    stdin.off('end', onEnd);
    stdin.pause();
    stdout.off('resize', resize);
    if (isRaw) stdin.setRawMode(false);
    socket.destroy();
  }
}

function upgrade(
  socketPath: string,
  path: string,
  wish: ShellRequest,
): Promise<{ socket: Socket; head: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath,
      path,
      headers: {
        connection: 'Upgrade',
        upgrade: SHELL_PROTOCOL,
        [SHELL_HEADER]: encodeURIComponent(JSON.stringify(wish)),
      },
    });
    outgoing.once('error', reject);
    outgoing.once('upgrade', (_response, socket, head) => resolve({ socket, head }));
    outgoing.once('response', (response) => void refusal(response).then(reject, reject));
    outgoing.end();
  });
}

async function refusal(response: IncomingMessage): Promise<ControlError> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return new ControlError(response.statusCode ?? 500, JSON.parse(text) as FaultView);
}

function exitOf(socket: Socket, head: Buffer, { stdout, stderr }: Terminal): Promise<number> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader();
    const take = ({ kind, payload }: Frame) => {
      if (kind === 'stdout') stdout.write(payload);
      else if (kind === 'stderr') stderr.write(payload);
      else if (kind === 'exit') resolve(Number(Buffer.from(payload).toString()));
    };
    const push = (chunk: Buffer) => reader.push(chunk).forEach(take);
    const died = () => reject(new Fault('DAEMON_DIED', 'the daemon ended in the middle of the shell'));
    socket.on('data', push);
    socket.once('error', died);
    socket.once('close', died);
    push(head);
  });
}
