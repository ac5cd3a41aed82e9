import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { UsageError, parseWords } from '../command.ts';
import type { Command } from '../command.ts';
import { explain } from './explain.ts';
import { lint } from './lint.ts';
import { list } from './list.ts';
import { preview } from './preview.ts';

const CONFIGURATION = `
include: ci/base.yml
stages: [build, deploy]
variables: {LEVEL: '1'}
build:
  extends: .base
  stage: build
  rules:
    - if: $CI_COMMIT_TAG
      variables: {LEVEL: '2'}
    - changes: [src/**/*]
deploy:
  stage: deploy
  script: x
  needs: [build]
  when: manual
  environment: production
`;

// Every command starts git a few times, and the first one loads the rooms.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let dir: string;
let outside: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-cli-'));
  outside = await mkdtemp(path.join(tmpdir(), 'updraft-cli-outside-'));
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: dir });
  await mkdir(path.join(dir, 'ci'));
  await mkdir(path.join(dir, 'src'));
  await writeFile(path.join(dir, '.gitlab-ci.yml'), CONFIGURATION);
  await writeFile(path.join(dir, 'ci/base.yml'), '.base: {script: make}\n');
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('commit', '-qm', 'first');
  await writeFile(path.join(dir, 'src/a.c'), '');
  await git('add', '.');
  await git('commit', '-qm', 'second');
});

afterAll(async () => {
  await rm(dir, { recursive: true });
  await rm(outside, { recursive: true });
});

/** A command in the repository, with what it printed. */
async function call(command: Command, words: readonly string[], cwd = dir) {
  const results: string[] = [];
  const said: string[] = [];
  const code = await command.run({
    ...parseWords(command, words),
    output: {
      result: (text) => void results.push(text),
      say: (text) => void said.push(text),
      raw: () => undefined,
      style: (_, text) => text,
      live: false,
      columns: 100,
    },
    env: { UPDRAFT_HOME: path.join(outside, 'home') },
    cwd,
    signal: new AbortController().signal,
  });
  return { code, result: results.join('\n'), said: said.join('\n') };
}

describe('list', () => {
  test('JSON has one row a job', async () => {
    const { code, result } = await call(list, ['--json']);
    expect(code).toBe(0);
    expect(JSON.parse(result)).toEqual([
      {
        name: 'build',
        stage: 'build',
        when: 'on_success',
        allow_failure: false,
        needs: null,
        environment: null,
      },
      {
        name: 'deploy',
        stage: 'deploy',
        when: 'manual',
        allow_failure: true,
        needs: ['build'],
        environment: 'production',
      },
    ]);
  });

  test('options choose the pipeline; an error is shown and exits with 2', async () => {
    const { code, said } = await call(list, ['--compare-to', 'HEAD']);
    expect(said).toContain('but its rules leave it out of this pipeline');
    expect(code).toBe(2);
    await expect(call(list, ['--ref', 'a', '--tag', 'b'])).rejects.toThrow(UsageError);
  });
});

describe('lint', () => {
  test('a valid configuration', async () => {
    expect(await call(lint, [])).toMatchObject({ code: 0, result: 'The configuration is valid' });
    expect(JSON.parse((await call(lint, ['--json'])).result)).toEqual({
      valid: true,
      errors: [],
      warnings: [],
    });
  });

  test('a file outside of every repository', async () => {
    const file = path.join(outside, 'ci.yml');
    await writeFile(file, 'a:\n  scrip: x\n  script: y\nb: {script: x, stage: tset}\n');
    const { code, result } = await call(lint, [file, '--json'], outside);
    expect(code).toBe(1);
    expect(JSON.parse(result)).toMatchObject({
      valid: false,
      errors: [
        {
          code: 'unknown-keyword',
          file,
          line: 2,
          column: 3,
          suggestion: 'script',
          message: expect.any(String),
        },
        { code: 'unknown-stage', file, line: 4, suggestion: 'test' },
      ],
    });
    const human = await call(lint, [file], outside);
    expect(human.result).toContain('    2 |   scrip: x\n      |   ^\n');
    expect(human.result).toMatch(/The configuration is not valid: 2 errors$/);
  });

  test('a file of the repository, named from a folder of it, with what it includes', async () => {
    const { code } = await call(lint, ['../.gitlab-ci.yml'], path.join(dir, 'ci'));
    expect(code).toBe(0);
  });

  test('only shapes are checked when asked', async () => {
    const file = path.join(outside, 'shapes.yml');
    await writeFile(file, 'a: {script: x, needs: [nobody]}\n');
    expect(await call(lint, [file], outside)).toMatchObject({ code: 1 });
    expect(await call(lint, [file, '--schema-only'], outside)).toMatchObject({ code: 0 });
  });

  test('a file that is not there is wrong usage', async () => {
    await expect(call(lint, ['nothing.yml'])).rejects.toThrow(/there is no such file/);
  });
});

describe('explain', () => {
  test('tells why, which values won and where keys come from', async () => {
    const { code, result } = await call(explain, ['build']);
    expect(code).toBe(0);
    expect(result).toMatch(
      /^✓ build is in the pipeline: rule 2 of 2 \(\.gitlab-ci\.yml:11\) holds: src\/a\.c changed/,
    );
    expect(result).toContain('$CI_COMMIT_TAG is not set');
    expect(result).toMatch(/src\/a\.c fits src\/\*\*\/\* \(of 1 changed file\)/);
    expect(result).toMatch(/LEVEL +"1" +global, \.gitlab-ci\.yml:4/);
    expect(result).toMatch(/script +from \.base +ci\/base\.yml:1 +included by \.gitlab-ci\.yml/);
    expect(result).not.toMatch(/undefined|\[object/);
  });

  test('JSON has everything in snake case', async () => {
    const { result } = await call(explain, ['deploy', '--json']);
    expect(JSON.parse(result)).toMatchObject({
      asked: 'deploy',
      verdict: 'in',
      no_pipeline: null,
      instances: [
        {
          in: true,
          result: { when: 'manual', allow_failure: true },
          needs: [{ job: 'build', state: 'met' }],
        },
      ],
    });
  });

  test('says which option would keep a job out, and that there is no pipeline', async () => {
    const { result, said } = await call(explain, ['deploy', '--compare-to', 'HEAD']);
    expect(result).toContain('But there is no pipeline at all: the configuration has an error');
    expect(result).toContain('✗ build: not in the pipeline, none of its 2 rules holds');
    expect(said).toContain('error: job deploy needs build');
  });

  test('a job that is not there exits with 2 and names the nearest', async () => {
    const { code, result } = await call(explain, ['biuld']);
    expect(code).toBe(2);
    expect(result).toContain('Did you mean build?');
    await expect(call(explain, [])).rejects.toThrow(UsageError);
  });
});

test('preview prints a configuration that lint takes', async () => {
  const { code, result } = await call(preview, []);
  expect(code).toBe(0);
  expect(result).toMatch(/^stages:/);
  const file = path.join(outside, 'preview.yml');
  await writeFile(file, result);
  expect(await call(lint, [file], outside)).toMatchObject({ code: 0 });
});

test('what is not committed is part of it, and said', async () => {
  const file = path.join(dir, 'new.txt');
  await writeFile(file, '');
  try {
    expect((await call(list, [])).said).toContain('With 1 file of the work tree');
    expect((await call(list, ['--committed'])).said).toBe('');
  } finally {
    await rm(file);
  }
});
