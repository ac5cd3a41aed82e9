import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import type { IncomingMessage } from 'node:http';
import type { Frame, ToolCall } from './protocol.ts';

/**
 * The entry point of a stand-in's tool: sends its command line through the job's socket, prints what comes back and ends
 * with the exit code that comes last. @param wanted names of the variables that the tool reads
 */
export async function callTool(tool: string, wanted: RegExp): Promise<void> {
  const socketPath = process.env['UPDRAFT_TOOLS_SOCKET'];
  if (socketPath === undefined) {
    process.stderr.write(
      `${tool}: this is Updraft's stand-in; it works only inside a job that Updraft runs\n`,
    );
    process.exitCode = 1;
    return;
  }
  const entries = Object.entries(process.env).filter(
    ([key, value]) => wanted.test(key) && value !== undefined,
  );
  const argv = process.argv.slice(2);
  const readsStdin = argv.some((arg) => ['-', '/dev/stdin', '--password-stdin'].includes(arg));
  const call: ToolCall = {
    argv,
    cwd: process.cwd(),
    env: Object.fromEntries(entries) as Record<string, string>,
    ...(readsStdin ? { stdin: readFileSync(0, 'utf8') } : {}),
  };
  process.exitCode = await exchange(socketPath, tool, call).catch((error: unknown) => {
    process.stderr.write(`${tool}: the daemon does not answer: ${String(error)}\n`);
    return 1;
  });
}

async function exchange(socketPath: string, tool: string, call: ToolCall): Promise<number> {
  const response = await send(socketPath, `/tools/${tool}`, JSON.stringify(call));
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const frame = JSON.parse(line) as Frame;
      if ('exit' in frame) return frame.exit;
      if ('writeTo' in frame) writeFile(frame.writeTo, frame.text);
      else process[frame.stream].write(frame.text);
    }
  }
  throw new Error('the answer ended early');
}

function writeFile(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function send(socketPath: string, url: string, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path: url, method: 'POST' }, resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
