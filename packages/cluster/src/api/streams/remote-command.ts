import type { Readable, Writable } from 'node:stream';
import { messageOf } from '@updraft/kit';
import type { ContainerExit } from '@updraft/pods';
import type { KubeObject } from '../../store/types.ts';
import { recordAt } from '../admission/members.ts';
import type { ApiContext } from '../context.ts';
import { chooseContainer, containerStatus, hasTerminal } from '../containers.ts';
import type { Attachment, OutputSink } from '../ports.ts';
import { flag } from '../request.ts';
import { badRequest, statusOf } from '../status.ts';
import type { KubeStatus } from '../status.ts';
import { existing } from '../write.ts';
import type { Named } from '../write.ts';

/** What `pods/NAME/exec` or `pods/NAME/attach` asks for. */
export interface RemoteCommand {
  readonly pod: KubeObject;
  readonly container: string;
  /** Undefined: attach to the container's own process. */
  readonly command: readonly string[] | undefined;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly terminal: boolean;
}

/** The client's streams, whatever carries them. Those that were not asked for are not there. */
export interface CommandStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** `{"Width":…,"Height":…}`, again and again. */
  readonly resize: Readable | undefined;
  /** Takes the Status that says how it ended. */
  readonly error: Writable;
  /** How that is written. Default: JSON. */
  readonly statusText?: (status: KubeStatus) => string;
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>;
  /** The client is gone because it has said everything: what it sent is still to be read. */
  readonly isOver?: () => boolean;
  /** Ends the connection when everything was sent. */
  close(): void;
}

const KILLED = 137;
/** So long may a command go on of which nobody sees the end. */
const LINGER_MS = 30_000;

/** @throws ApiFault 400, 404 */
export function readCommand(context: ApiContext, query: URLSearchParams, named: Named): RemoteCommand {
  const pod = existing(context, named);
  const container = chooseContainer(pod, query.get('container'));
  const command = named.subresource === 'attach' ? undefined : query.getAll('command');
  if (command?.length === 0) throw badRequest('you must specify at least one command for the container');
  if (recordAt(containerStatus(pod, container), 'state')['running'] === undefined) {
    throw badRequest(
      `container ${JSON.stringify(container)} of pod ${JSON.stringify(pod.metadata.name)} is not running`,
    );
  }
  // Whoever attaches gets the container as it is.
  const terminal = command ? flag(query, 'tty') : hasTerminal(pod, container);
  const [stdin, stdout, stderr] = ['stdin', 'stdout', 'stderr'].map((name) => flag(query, name));
  // Clients that name no stream at all want to see what is printed.
  const none = !stdin && !stdout && !stderr;
  return {
    pod,
    container,
    command,
    stdin: stdin ?? false,
    stdout: stdout || none,
    stderr: !terminal && (stderr || none),
    terminal,
  };
}

/** Runs the command, or attaches, until it has ended or the client is gone. Never rejects: the client is told. */
export async function runCommand(
  context: ApiContext,
  remote: RemoteCommand,
  streams: CommandStreams,
): Promise<void> {
  const status = await outcome(context, remote, streams);
  streams.error.end((streams.statusText ?? JSON.stringify)(status));
  await Promise.race([flushed(streams.error), streams.closed]);
  streams.close();
}

async function outcome(
  context: ApiContext,
  remote: RemoteCommand,
  streams: CommandStreams,
): Promise<unknown> {
  try {
    const running = await begin(context, remote, streams);
    void streams.closed.then(() => leave(context, remote, { streams, running }));
    if (streams.resize) followSize(streams.resize, running);
    const exit = await running.exited;
    streams.stdin?.destroy();
    const outputs = [streams.stdout, streams.stderr].filter((stream) => stream !== undefined);
    for (const output of outputs) output.end();
    await Promise.race([Promise.all(outputs.map(flushed)), streams.closed]);
    return exitStatus(exit);
  } catch (error) {
    return statusOf(error);
  }
}

/** What reads to the end of its input may do so: clients that only send, as `tar` into a pod, do not wait for it. */
async function leave(
  { clock }: ApiContext,
  { command }: RemoteCommand,
  { streams, running }: { readonly streams: CommandStreams; readonly running: Attachment },
): Promise<void> {
  if (command && streams.stdin && streams.isOver?.()) {
    const patience = new AbortController();
    const waits = [running.exited, clock.sleep(LINGER_MS, patience.signal)];
    await Promise.race(
      waits.map((each) =>
        each.then(
          () => undefined,
          () => undefined,
        ),
      ),
    );
    patience.abort();
  }
  running.detach();
}

async function begin(
  context: ApiContext,
  remote: RemoteCommand,
  streams: CommandStreams,
): Promise<Attachment> {
  const { pod, container, command, terminal } = remote;
  const io = {
    container,
    ...(streams.stdin ? { stdin: streams.stdin } : {}),
    onStdout: sinkTo(streams.stdout),
    onStderr: sinkTo(streams.stderr),
  };
  if (!command) return context.kubelet.attach(pod, io);
  const process = await context.kubelet.exec(pod, { ...io, command, terminal });
  return {
    exited: process.exited,
    resize: (columns, rows) => process.resize?.(columns, rows),
    detach: () => void process.kill('SIGKILL').catch(() => undefined),
  };
}

/** What the client does not take yet holds up whoever prints it. */
function sinkTo(stream: Writable | undefined): OutputSink {
  return (chunk) => {
    if (!stream || stream.destroyed || stream.write(chunk)) return undefined;
    return new Promise((resolve) => {
      const goOn = () => {
        stream.off('drain', goOn);
        stream.off('close', goOn);
        resolve();
      };
      stream.on('drain', goOn);
      stream.on('close', goOn);
    });
  };
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableFinished || stream.destroyed) return resolve();
    stream.once('finish', resolve);
    stream.once('close', resolve);
  });
}

const SIZE = /\{[^{}]*\}/g;
const LONGEST_SIZE = 1024;

function followSize(resize: Readable, running: Attachment): void {
  let text = '';
  resize.on('data', (chunk: Buffer) => {
    text = `${text}${chunk.toString('utf8')}`.slice(-LONGEST_SIZE);
    const size = (text.match(SIZE) ?? []).map(readSize).findLast((each) => each !== undefined);
    if (!size) return;
    text = '';
    running.resize?.(size.Width, size.Height);
  });
}

interface TerminalSize {
  readonly Width: number;
  readonly Height: number;
}

const isSide = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) < 0x10000;

/** A size that cannot be read leaves the size as it is. */
function readSize(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return isSide(Width) && isSide(Height) ? { Width, Height } : undefined;
  } catch {
    return undefined;
  }
}

/** How a command ended, as clients read it from the error stream. */
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
  const details = { causes: [{ message }] };
  return { ...base, status: 'Failure', message, reason: 'InternalError', details, code: 500 };
}
