import { systemClock, start } from '@updraft/kit';
import { expect, it } from 'vitest';
import { OutputPipes } from './output-pipes.ts';
import { recorder } from './testing/index.ts';

async function runThrough(script: string, busyMs = 0): Promise<string> {
  const output = recorder();
  const pipes = new OutputPipes(output);
  pipes.release();
  const running = await start('sh', ['-c', script], { stdio: [...pipes.stdio] });
  pipes.closeChildEnds();
  const until = performance.now() + busyMs;
  // The event loop does nothing else meanwhile, as in a process with much to do.
  while (performance.now() < until);
  await running.exited;
  await pipes.drained(systemClock);
  running.kill('SIGKILL');
  return output.stdout;
}

it('everything is delivered although the event loop was busy for long', async () => {
  expect((await runThrough('head -c 60000 /dev/zero', 700)).length).toBe(60_000);
});

it('a child that keeps the outputs open is not waited for, but what came before is', async () => {
  const started = performance.now();
  expect(await runThrough('sleep 30 & head -c 60000 /dev/zero', 300)).toHaveLength(60_000);
  expect(performance.now() - started).toBeLessThan(5000);
});
