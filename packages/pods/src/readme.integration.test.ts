import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { expect, it } from 'vitest';
import { createNetwork, createRuncRuntime } from './index.ts';
import { hostToolsMounts } from './testing/index.ts';

it('the README’s example runs as it is written', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-readme-'));
  let printed = '';
  const given = {
    createNetwork,
    createRuncRuntime,
    id: randomBytes(3).toString('hex'),
    dir,
    clock: systemClock,
    logger: silentLogger,
    layers: [],
    mounts: hostToolsMounts(),
    print: (chunk: Buffer) => {
      printed += chunk.toString();
    },
  };
  const body = `return (async ({ ${Object.keys(given).join(', ')} }) => { ${example}\n await runtime.sweep(); return exit; })`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the example is text; running it is the test
  const program = new Function(body)() as (values: typeof given) => Promise<unknown>;
  expect(await program(given)).toEqual({ kind: 'exited', code: 0, outOfMemory: false });
  expect(printed).toBe('hello from greeter\n');
  await rm(dir, { recursive: true });
});
