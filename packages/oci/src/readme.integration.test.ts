import { runOrThrow } from '@updraft/kit';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

test('the example in the README does what it says', async () => {
  const room = path.resolve(import.meta.dirname, '..');
  const [, example = ''] =
    /```ts\n([^`]*(?:`[^`\n]*`[^`]*)*?)\n```/.exec(await readFile(path.join(room, 'README.md'), 'utf8')) ??
    [];
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-readme-'));
  try {
    const { resolve } = createRequire(import.meta.url);
    const program = example
      .replace("'@updraft/oci'", JSON.stringify(path.join(room, 'src/index.ts')))
      .replace("'@updraft/kit'", JSON.stringify(resolve('@updraft/kit')));
    const opening = `import { readFile, writeFile } from 'node:fs/promises';\nconst dir = ${JSON.stringify(path.join(dir, 'store'))};\n`;
    const file = path.join(dir, 'example.mts');
    await writeFile(file, opening + program);
    const tsx = path.resolve(room, '../../node_modules/.bin/tsx');
    expect(await runOrThrow(tsx, [file], { cwd: room })).toBe('hello\n\n');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
