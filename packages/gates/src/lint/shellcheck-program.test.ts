import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { shellcheckProgram } from './shellcheck-program.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-shellcheck-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that answers as ShellCheck does, and shows what it was asked. */
async function stub(answer: string): Promise<string> {
  const file = path.join(folder, 'shellcheck');
  await writeFile(
    file,
    `#!/bin/sh\n[ "$1" = --version ] && exit 0\nprintf '%s\\n' "$@" > "${folder}/args"\ncat > "${folder}/script"\n${answer}\n`,
  );
  await chmod(file, 0o755);
  return file;
}

it('gives the program’s findings', async () => {
  const answer = `echo '[{"code":2086,"level":"info","line":3,"column":6,"message":"Double quote"}]'; exit 1`;
  const shellcheck = await shellcheckProgram(await stub(answer));
  expect(await shellcheck?.('#!/bin/sh\necho $x\n', 'sh')).toEqual([
    { code: 'SC2086', severity: 'info', line: 3, column: 6, message: 'Double quote' },
  ]);
});

it('is undefined when there is no such program, and a fault when it fails', async () => {
  expect(await shellcheckProgram(path.join(folder, 'nothere'))).toBeUndefined();
  const shellcheck = await shellcheckProgram(await stub('echo broken >&2; exit 4'));
  await expect(shellcheck?.('x', 'bash')).rejects.toThrow('broken');
});
