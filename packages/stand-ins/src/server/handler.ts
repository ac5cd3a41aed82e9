import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@updraft/kit';
import type { Frame, ToolCall } from '../tools/protocol.ts';

/** What a tool may do in the job that called it. */
export interface ToolIo {
  /** Aborted when the job ends or the tool in it is killed. */
  readonly signal: AbortSignal;
  readonly write: (stream: 'stdout' | 'stderr', text: string) => void;
  /** Written by the entry point, with the job's rights, at a path of the job. */
  readonly writeFile: (inside: string, text: string) => void;
}

/** One tool's command line, for one call. */
export type ToolProgram = (call: ToolCall, io: ToolIo) => Promise<number>;

const MAX_CALL_BYTES = 4 * 1024 * 1024;

/**
 * The daemon's end of a job's tool socket: `POST /tools/<name>` with a ToolCall; the answer is frames, the last of them
 * the exit code. Who can reach the socket is the job.
 */
export function createToolHandler(
  programs: Readonly<Record<string, ToolProgram>>,
  jobSignal: AbortSignal,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void serve(programs, jobSignal, request, response).catch(() => response.destroy());
  };
}

async function serve(
  programs: Readonly<Record<string, ToolProgram>>,
  jobSignal: AbortSignal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = /^\/tools\/([a-z]+)$/.exec(request.url ?? '')?.[1] ?? '';
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  const call = await readCall(request);
  if (!program || !call) {
    response.writeHead(program ? 400 : 404).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const send = (frame: Frame) => {
    if (!response.destroyed) response.write(`${JSON.stringify(frame)}\n`);
  };
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the tool was ended'));
  });
  const signal = AbortSignal.any([jobSignal, gone.signal]);
  const write = (stream: 'stdout' | 'stderr', text: string) => send({ stream, text });
  const writeFile = (inside: string, text: string) => send({ writeTo: inside, text });
  const exit = await program(call, { signal, write, writeFile }).catch((error: unknown) => {
    write('stderr', `error: ${messageOf(error)}\n`);
    return 1;
  });
  send({ exit });
  response.end();
}

async function readCall(request: IncomingMessage): Promise<ToolCall | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_CALL_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return checkCall(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch {
    return undefined;
  }
}

/** What comes through the socket comes from the job: nothing of it is believed. */
function checkCall(value: unknown): ToolCall | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { argv, cwd, env, stdin } = value as Partial<Record<keyof ToolCall, unknown>>;
  const isText = (item: unknown): item is string => typeof item === 'string';
  if (!Array.isArray(argv) || !argv.every(isText)) return undefined;
  if (!isText(cwd) || !cwd.startsWith('/')) return undefined;
  if (typeof env !== 'object' || env === null || !Object.values(env).every(isText)) return undefined;
  return { argv, cwd, env: env as Record<string, string>, ...(isText(stdin) ? { stdin } : {}) };
}
