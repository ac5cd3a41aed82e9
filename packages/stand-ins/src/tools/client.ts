import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ToolFrame } from './protocol.ts';

export interface ClientOptions {
  /** Which variables the tool may see: names, or beginnings of names that end with `*`. */
  readonly env: readonly string[];
  /** Is standard input read for these words? */
  readonly readsStdin?: (argv: readonly string[]) => boolean;
}

const SOCKET = 'UPDRAFT_TOOLS_SOCKET';

/**
 * The whole program of a tool image: hands its command line to Updraft's daemon through the job's socket and prints what comes
 * back. Files that the tool writes are written here, with the rights of the job.
 */
export async function runTool(tool: string, { env, readsStdin }: ClientOptions): Promise<void> {
  const argv = process.argv.slice(2);
  const socketPath = process.env[SOCKET];
  if (!socketPath) {
    return end(
      `${tool}: this image is a part of Updraft and works only in its jobs (${SOCKET} is not set)\n`,
    );
  }
  const body = {
    argv,
    cwd: process.cwd(),
    env: pick(env),
    ...(readsStdin?.(argv) ? { stdin: readFileSync(0).toString('base64') } : {}),
  };
  try {
    await receive(tool, await post(socketPath, `/tools/${tool}`, JSON.stringify(body)));
  } catch (error) {
    end(
      `${tool}: the connection to Updraft failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

function end(message: string): void {
  process.stderr.write(message);
  process.exitCode = 1;
}

function pick(names: readonly string[]): Record<string, string> {
  const wanted = (name: string) =>
    names.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && wanted(name) ? [[name, value]] : [],
    ),
  );
}

/** Ending this program closes the connection, by which the daemon knows to stop. */
function post(socketPath: string, url: string, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ socketPath, method: 'POST', path: url, headers }, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

async function receive(tool: string, response: IncomingMessage): Promise<void> {
  let exit: number | undefined;
  for await (const line of createInterface({ input: response })) {
    if (line === '') continue;
    const frame = JSON.parse(line) as ToolFrame;
    if ('stream' in frame) process[frame.stream].write(frame.text);
    else if ('file' in frame) write(frame.file, frame.content);
    else exit = frame.exit;
  }
  if (exit === undefined) return end(`${tool}: Updraft ended before ${tool} was done\n`);
  process.exitCode = exit;
}

function write(file: string, content: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, Buffer.from(content, 'base64'));
}
