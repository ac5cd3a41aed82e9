import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run, start } from '@updraft/kit';
import { createToolHandler } from './handler.ts';
import type { ToolProgram } from './handler.ts';

const CLIENT = path.join(import.meta.dirname, '../tools/hadolint.main.ts');
const TSX = path.resolve(import.meta.dirname, '../../../../node_modules/tsx/dist/cli.mjs');

let folder: string;
let close: () => Promise<void> = () => Promise.resolve();
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'updraft-tool-'));
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

/** A daemon with one tool; gives what a client needs. */
async function serve(hadolint: ToolProgram, signal = new AbortController().signal) {
  const server = createServer(createToolHandler({ hadolint }, signal));
  const socket = path.join(folder, 's');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { cwd: folder, env: { UPDRAFT_TOOLS_SOCKET: socket, HADOLINT_X: 'seen', SECRET: 'hidden' } };
}

test('a command line goes there, its output, files and exit code come back', async () => {
  const options = await serve(async (call, io) => {
    io.write(
      'stdout',
      JSON.stringify({ ...call, env: Object.keys(call.env).filter((name) => name !== 'HOME') }),
    );
    io.write('stderr', 'to stderr\n');
    io.writeFile('out/f', 'written');
    return 3;
  });
  const result = await run(process.execPath, [TSX, CLIENT, 'a b', '-'], { ...options, input: 'FROM x' });
  expect(result).toMatchObject({ code: 3, stderr: 'to stderr\n' });
  expect(JSON.parse(result.stdout)).toEqual({
    argv: ['a b', '-'],
    cwd: folder,
    env: ['HADOLINT_X'],
    stdin: 'FROM x',
  });
  expect(await readFile(path.join(folder, 'out/f'), 'utf8')).toBe('written');
});

test('a tool that throws fails in words; outside a job the entry point says what it is', async () => {
  const options = await serve(() => Promise.reject(new Error('it broke')));
  expect(await run(process.execPath, [TSX, CLIENT], options)).toMatchObject({
    code: 1,
    stderr: 'error: it broke\n',
  });
  const alone = await run(process.execPath, [TSX, CLIENT], { cwd: folder });
  expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining('only inside a job') as string });
});

test('ending the entry point cancels the tool', async () => {
  let aborted: Promise<void> | undefined;
  let started = () => undefined as void;
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const options = await serve(async (_call, { signal }) => {
    aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    started();
    await aborted;
    return 0;
  });
  const client = await start(process.execPath, [TSX, CLIENT], options);
  await running;
  client.kill('SIGKILL');
  await client.exited;
  await aborted;
});

test.each([
  ['/tools/other', '{"argv":[],"cwd":"/","env":{}}', 404],
  ['/tools/constructor', '{"argv":[],"cwd":"/","env":{}}', 404],
  ['/tools/hadolint', 'no json', 400],
  ['/tools/hadolint', '{"argv":[1],"cwd":"/","env":{}}', 400],
  ['/tools/hadolint', '{"argv":[],"cwd":"relative","env":{}}', 400],
  ['/tools/hadolint', '{"argv":[],"cwd":"/","env":{"A":1}}', 400],
])('POST %s %s: %d', async (url, body, status) => {
  const { env } = await serve(() => Promise.resolve(0));
  const answered = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request({ socketPath: env.UPDRAFT_TOOLS_SOCKET, method: 'POST', path: url }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end(body);
  });
  expect(answered).toBe(status);
});
