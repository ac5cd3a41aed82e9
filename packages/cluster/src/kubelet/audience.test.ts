import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Container, ContainerExit } from '@updraft/pods';
import { expect, test } from 'vitest';
import { Audience } from './audience.ts';

const running = (exited: Promise<ContainerExit>) => ({ exited }) as Container;
const NEVER = new Promise<ContainerExit>(() => undefined);

test('everybody who is attached hears what is printed, until they leave', () => {
  const audience = new Audience({ name: 'c' });
  const heard: string[] = [];
  const listen = (who: string) => ({
    container: 'c',
    onStdout: (chunk: Buffer) => void heard.push(`${who} ${chunk.toString()}`),
    onStderr: () => undefined,
  });
  audience.tell('onStdout', Buffer.from('early'));
  const first = audience.join(running(NEVER), listen('a'));
  audience.join(running(NEVER), listen('b'));
  audience.tell('onStdout', Buffer.from('1'));
  first.detach();
  audience.tell('onStdout', Buffer.from('2'));
  expect(heard).toEqual(['a 1', 'b 1', 'b 2']);
});

test.each([
  [true, true],
  [false, false],
])('stdinOnce %s: the input ends with its first client: %s', async (stdinOnce, ended) => {
  const audience = new Audience({ name: 'c', stdin: true, stdinOnce });
  const input = audience.open();
  input?.resume();
  const stdin = new PassThrough();
  const quiet = { container: 'c', onStdout: () => undefined, onStderr: () => undefined };
  audience.join(running(NEVER), { ...quiet, stdin });
  stdin.end('x');
  await turn();
  await turn();
  expect(input?.readableEnded).toBe(ended);
});

test('who does not read misses some of it; the container is not held up', () => {
  const audience = new Audience({ name: 'c' });
  let bytes = 0;
  const onStdout = (chunk: Buffer) => {
    bytes += chunk.length;
    return new Promise<void>(() => undefined);
  };
  audience.join(running(NEVER), { container: 'c', onStdout, onStderr: () => undefined });
  const mebibyte = Buffer.alloc(1024 * 1024);
  for (let n = 0; n < 100; n += 1) audience.tell('onStdout', mebibyte);
  expect(bytes).toBe(9 * mebibyte.length);
});
