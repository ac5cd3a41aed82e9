import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Output } from '../output.ts';
import { connect, connectIfRunning, socketOf } from './connect.ts';

let env: { UPDRAFT_HOME: string };
const closing: (() => void)[] = [];

beforeEach(() => {
  env = { UPDRAFT_HOME: mkdtempSync(path.join(tmpdir(), 'updraft-connect-')) };
  mkdirSync(path.dirname(socketOf(env)));
});

afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(env.UPDRAFT_HOME, { recursive: true });
});

async function serve(listener: RequestListener): Promise<void> {
  const server = createServer(listener);
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(socketOf(env), resolve));
}

test('a daemon that runs is asked once', async () => {
  const asked: (string | undefined)[] = [];
  await serve((request, response) => {
    asked.push(request.url);
    response.end('[]');
  });
  const client = connect(env, {} as Output);
  expect(await client.call('GET /v1/images', undefined)).toEqual([]);
  expect(asked).toEqual(['/v1/images']);
});

test('a request that was taken and not answered is not sent again', async () => {
  let asked = 0;
  await serve((request) => {
    asked += 1;
    request.socket.destroy();
  });
  const client = connect(env, {} as Output);
  await expect(client.call('GET /v1/images', undefined)).rejects.toMatchObject({ code: 'DAEMON_DIED' });
  expect(asked).toBe(1);
});

test('nobody listens: nobody runs', async () => {
  expect(await connectIfRunning(env)).toBeUndefined();
  await serve((_request, response) => void response.end('{}'));
  expect(await connectIfRunning(env)).toBeDefined();
});
