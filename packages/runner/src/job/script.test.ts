import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '@updraft/kit';
import { quote, shellCommand, shellScript } from './script.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'script-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function execute(shell: string, commands: string[]) {
  const file = path.join(dir, 'script');
  writeFileSync(file, shellScript(dir, commands));
  return run(shell, [file]);
}

describe.each(['bash', 'dash'])('in %s', (shell) => {
  test('echoes each command, only the first line of a long one', async () => {
    const result = await execute(shell, ['echo one', 'echo two\necho three']);
    expect(result.stdout).toBe('$ echo one\none\n$ echo two # collapsed multi-line command\ntwo\nthree\n');
  });

  test('directory and variables carry over', async () => {
    const result = await execute(shell, [
      'mkdir sub && cd sub',
      'A="it\'s"',
      'echo "$A in $(basename "$PWD")"',
    ]);
    expect(result.stdout).toContain("it's in sub\n");
  });

  test('the first failing command ends it, also inside a multi-line item', async () => {
    const result = await execute(shell, ['echo a\nfalse\necho b', 'echo c']);
    expect(result.code).toBe(1);
    expect(result.stdout).not.toMatch(/^[bc]$/m);
  });

  test('the exit code is the command’s own', async () => {
    expect((await execute(shell, ['exit 77'])).code).toBe(77);
  });

  test('commands with quotes, dollars and backslashes run as written', async () => {
    const result = await execute(shell, [String.raw`printf '%s\n' 'a"b' "c'd" '$HOME' '\\'`]);
    expect(result.stdout.split('\n').slice(1)).toEqual(['a"b', "c'd", '$HOME', String.raw`\\`, '']);
  });
});

test('bash ends a pipeline with its first failure', async () => {
  expect((await execute('bash', ['false | cat'])).code).toBe(1);
});

test('quote makes one word of any text', async () => {
  const text = `it's "$x" \`y\` \\ \n end`;
  const result = await run('dash', ['-c', `printf %s ${quote(text)}`]);
  expect(result.stdout).toBe(text);
});

test('the shell is chosen inside the image', async () => {
  const file = path.join(dir, 'x');
  writeFileSync(file, 'echo "${BASH_VERSION:+bash}"');
  const [program = '', ...args] = shellCommand(file);
  expect((await run(program, args)).stdout.trim()).toBe('bash');
});
