import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { run, runOrThrow, start } from './index.ts';

test('an argument is an argument: no shell reads it', async () => {
  const { code, stdout } = await run('echo', ['hello; rm -rf /', '$HOME', '`id`']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello; rm -rf / $HOME `id`\n' });
});

test('little of the environment is passed on', async () => {
  process.env['KIT_TEST_SECRET'] = 'x';
  const { stdout } = await run('env', [], { env: { ADDED: '1' } });
  delete process.env['KIT_TEST_SECRET'];
  const names = new Set(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('=')[0]),
  );
  expect(names).toEqual(new Set(['ADDED', 'HOME', 'LC_ALL', 'PATH']));
});

test('a failing exit is a value, a missing program a fault', async () => {
  expect((await run('sh', ['-c', 'exit 7'])).code).toBe(7);
  expect((await run('sh', ['-c', 'kill -9 $$'])).signal).toBe('SIGKILL');
  await expect(run('no-such-program', [])).rejects.toMatchObject({ code: 'PROGRAM_MISSING' });
  await expect(runOrThrow('sh', ['-c', 'echo why >&2; exit 3'])).rejects.toThrow(/exited with 3: why/);
});

test('input goes in, and a program that does not read it is no error', async () => {
  expect((await run('cat', [], { input: 'text' })).stdout).toBe('text');
  expect((await run('true', [], { input: 'x'.repeat(1 << 20) })).code).toBe(0);
});

test('a program that prints without end is stopped', async () => {
  await expect(run('yes', [], { maxOutputBytes: 1000 })).rejects.toMatchObject({ code: 'OUTPUT_TOO_LARGE' });
});

test('an abort kills the program and what it started', async () => {
  const controller = new AbortController();
  const running = run('sh', ['-c', 'sleep 60 & echo $!; wait'], { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 100);
  await expect(running).rejects.toThrow('enough');
});

test('kill reaches the whole group', async () => {
  const running = await start('sh', ['-c', 'sleep 60 & echo $!; wait']);
  const child = await new Promise<number>((resolve) =>
    running.stdout?.once('data', (data) => resolve(Number(data))),
  );
  running.kill('SIGKILL');
  await running.exited;
  expect(await livesOn(child)).toBe(false);
});

/** A process that nobody has waited for yet is dead all the same. */
async function livesOn(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tX');
  return !/^State:\s[XZ]/m.test(status);
}
