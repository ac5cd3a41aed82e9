import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lintDockerfileWithShell } from './lint.ts';
import { shellcheckProgram } from './shellcheck-program.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-shellcheck-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that answers as ShellCheck does, and counts how often it was asked. */
async function stub(answer: string): Promise<string> {
  const file = path.join(folder, 'shellcheck');
  const lines = ['#!/bin/sh', '[ "$1" = --version ] && exit 0', `echo "$@" >> "${folder}/calls"`, answer];
  await writeFile(file, `${lines.join('\n')}\n`);
  await chmod(file, 0o755);
  return file;
}

/** One remark about each file, with the file's text as the message. */
const REMARKS = `for file do case $file in -*) ;; *)
printf '%s{"file":"%s","code":2086,"level":"info","line":3,"column":6,"message":"%s"}' "\${comma-[}" "$file" "$(cat "$file")"
comma=,;; esac; done; echo ']'; exit 1`;

it('gives the program’s findings, each to who asked', async () => {
  const shellcheck = await shellcheckProgram(await stub(REMARKS));
  const found = await Promise.all([
    shellcheck?.('one', 'sh'),
    shellcheck?.('two', 'sh'),
    shellcheck?.('three', 'bash'),
  ]);
  const remark = (message: string) => [{ code: 'SC2086', severity: 'info', line: 3, column: 6, message }];
  expect(found).toEqual([remark('one'), remark('two'), remark('three')]);
  // One for the two that are for sh.
  const calls = (await readFile(path.join(folder, 'calls'), 'utf8')).trim().split('\n');
  expect(calls.map((call) => /--shell=(\w+)/.exec(call)?.[1])).toEqual(
    expect.arrayContaining(['bash', 'sh']),
  );
  expect(calls).toHaveLength(2);
  expect(await shellcheck?.('again', 'sh')).toEqual(remark('again'));
});

it('looks at the same script once', async () => {
  const shellcheck = await shellcheckProgram(await stub(REMARKS));
  const found = await Promise.all(['one', 'two', 'one'].map(async (script) => shellcheck?.(script, 'sh')));
  expect(found.map((remarks) => remarks?.[0]?.message)).toEqual(['one', 'two', 'one']);
  expect((await readFile(path.join(folder, 'calls'), 'utf8')).match(/updraft-shellcheck-/g)).toHaveLength(2);
});

it('is undefined when there is no such program, and a fault when it fails', async () => {
  expect(await shellcheckProgram(path.join(folder, 'nothere'))).toBeUndefined();
  const shellcheck = await shellcheckProgram(await stub('echo broken >&2; exit 4'));
  await expect(shellcheck?.('x', 'bash')).rejects.toThrow('broken');
});

/** What the original's own tests fix about scripts inside RUN. Only where ShellCheck is installed. */
const installed = await shellcheckProgram();
describe.skipIf(installed === undefined)('with the installed program', () => {
  const codes = async (...lines: readonly string[]) => {
    const found = installed && (await lintDockerfileWithShell(lines.join('\n'), {}, installed));
    return found?.filter(({ code }) => code.startsWith('SC')).map(({ code, line }) => `${line} ${code}`);
  };
  const POWERSHELL = 'RUN Get-Variable PSVersionTable | Select-Object -ExpandProperty Value';

  it.each([
    [['RUN echo foo']],
    [['RUN echo "$HTTP_PROXY"', 'RUN echo "$no_proxy"']],
    [['ARG foo=bar', 'ARG another_foo', 'ENV bar=10 baz=20', 'RUN echo "$foo" "$another_foo" "$bar" "$baz"']],
    [['SHELL ["/bin/bash", "-eo", "pipefail", "-c"]', 'RUN echo "$RANDOM"']],
    [['SHELL ["/bin/ash", "-o", "pipefail", "-c"]', 'RUN echo hello']],
    [['SHELL ["pwsh", "-c"]', POWERSHELL]],
    [['SHELL ["cmd.exe", "/c"]', POWERSHELL]],
    [['FROM m/windows:10', '# hadolint shell = powershell.exe', POWERSHELL]],
    [['# hadolint shell=powershell.exe', 'FROM m/windows:10', POWERSHELL, 'FROM m/windows:10', POWERSHELL]],
  ])('is quiet about %j', async (lines) => expect(await codes(...lines)).toEqual([]));

  it.each([
    [['RUN echo $MISSING_QUOTES'], ['1 SC2086']],
    [['ONBUILD RUN echo $MISSING_QUOTES'], ['1 SC2086']],
    [['RUN echo "$RTTP_PROXY"'], ['1 SC2153']],
    [['ARG foo=bar', 'FROM debian', 'RUN echo "$foo"'], ['3 SC2154']],
    [['ENV foo=bar', 'ONBUILD RUN echo "$foo"'], ['2 SC2154']],
    [['RUN echo "$RANDOM"'], ['1 SC3028']],
    [['SHELL ["/bin/bash", "-c"]', 'FROM debian', 'RUN echo "$RANDOM"'], ['3 SC3028']],
    [['SHELL ["/bin/bash", "-c"]', 'ONBUILD RUN echo "$RANDOM"'], ['2 SC3028']],
    [['FROM a:1', 'RUN echo $AA && \\', '  echo $BB'], ['2 SC2086']],
  ])('finds in %j', async (lines, expected) => expect(await codes(...lines)).toEqual(expected));
});
