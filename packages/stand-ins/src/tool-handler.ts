import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Fault, messageOf } from '@updraft/kit';
import type { ToolCall, ToolFrame } from './tools/protocol.ts';

export type { ToolCall } from './tools/protocol.ts';

/** What a tool does its work with. */
export interface ToolIo {
  write(stream: 'stdout' | 'stderr', text: string): void;
  /** Writes a file inside the job, with the job's own rights. Relative names start at the call's folder. */
  writeFile(file: string, content: string | Uint8Array): void;
  /** Aborted when the job ends or its program is killed. */
  readonly signal: AbortSignal;
}

/** A tool: gives its exit code. What it throws is printed, and the exit code is then 1. */
export type ToolProgram = (call: ToolCall, io: ToolIo) => Promise<number>;

/** Command lines and what comes on standard input are small; a Dockerfile, at most. */
const MAX_BODY = 8 * 1024 * 1024;
const EXIT_CANCELLED = 130;

/** Answers the entry points of the tool images of one job: `POST /tools/<name>`. */
export function createToolHandler(
  programs: Readonly<Record<string, ToolProgram>>,
  signal: AbortSignal,
): RequestListener {
  return (request, response) => {
    void answer(programs, signal, { request, response }).catch(() => response.destroy());
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(
  programs: Readonly<Record<string, ToolProgram>>,
  signal: AbortSignal,
  { request, response }: Exchange,
): Promise<void> {
  const name = /^\/tools\/([a-z]+)$/.exec(request.url ?? '')?.[1] ?? '';
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  const call = request.method === 'POST' ? await readCall(request) : undefined;
  if (!program || !call) {
    response.writeHead(program ? 400 : 404).end();
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('the job is gone')));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const send = (frame: ToolFrame) => void response.write(`${JSON.stringify(frame)}\n`);
  const io: ToolIo = {
    write: (stream, text) => send({ stream, text }),
    writeFile: (file, content) => send({ file, content: Buffer.from(content).toString('base64') }),
    signal: AbortSignal.any([signal, gone.signal]),
  };
  send({ exit: await run(name, program, call, io) });
  response.end();
}

async function run(name: string, program: ToolProgram, call: ToolCall, io: ToolIo): Promise<number> {
  try {
    return await program(call, io);
  } catch (error) {
    if (io.signal.aborted) return EXIT_CANCELLED;
    const next = error instanceof Fault && error.next ? `\n${error.next}` : '';
    io.write('stderr', `${name}: ${messageOf(error)}${next}\n`);
    return 1;
  }
}

/** undefined when it is not what an entry point sends. */
async function readCall(request: IncomingMessage): Promise<ToolCall | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk as Buffer);
  }
  try {
    return checkCall(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch {
    return undefined;
  }
}

function checkCall(value: unknown): ToolCall | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { argv, cwd, env, stdin } = value as Readonly<Record<string, unknown>>;
  const isText = (item: unknown): item is string => typeof item === 'string';
  if (!Array.isArray(argv) || !argv.every(isText) || !isText(cwd)) return undefined;
  if (typeof env !== 'object' || env === null || !Object.values(env).every(isText)) return undefined;
  return {
    argv,
    cwd,
    env: env as Record<string, string>,
    stdin: isText(stdin) ? Buffer.from(stdin, 'base64').toString('utf8') : undefined,
  };
}
