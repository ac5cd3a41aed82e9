import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exists, run, start } from '@updraft/kit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAUNCHER, MarkedStream, launchLine, signalCommand } from './launcher.ts';
import type { Launch, Told } from './launcher.ts';

const MARK = '\u001emark';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'updraft-launcher-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function launched(shell: string, launch: Partial<Launch>, stdin = '') {
  const line = launchLine({
    mark: MARK,
    command: ['true'],
    env: {},
    workingDir: dir,
    stdin: stdin !== '',
    terminal: false,
    ...launch,
  });
  const [, ...args] = LAUNCHER;
  const { code, stdout, stderr } = await run(shell, args, { input: line + stdin });
  const told: Told[] = [];
  let rest = '';
  const marked = new MarkedStream(
    MARK,
    (chunk) => {
      rest += chunk.toString();
    },
    (what) => told.push(what),
  );
  for (const byte of Buffer.from(stderr)) void marked.push(Buffer.from([byte]));
  marked.end();
  return { code, stdout, stderr: rest, told, line };
}

const SHELLS = ['sh', 'bash'];
const isHere = await Promise.all(
  SHELLS.map(async (name) => (await run('sh', ['-c', `command -v ${name}`])).code === 0),
);

describe.each(SHELLS.filter((_name, index) => isHere[index]))('a launch with %s', (shell) => {
  it('tells the process, its output and how it ended', async () => {
    const { code, stdout, stderr, told } = await launched(shell, {
      command: ['sh', '-c', 'echo out; printf err >&2; exit 7'],
    });
    expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: 'out\n', stderr: 'err' });
    expect(told).toEqual([
      { kind: 'started', pid: expect.any(Number) as number },
      { kind: 'ended', outOfMemory: false },
    ]);
  });

  it('gives any value of a variable, and any argument, as it is', async () => {
    const unit = fc.constantFrom('a', "'", '"', '\n', '\\', '$', '`', ' ', '!', 'ü', '\t', '%', '\r', '*');
    const texts = fc.sample(fc.string({ unit, minLength: 1 }), 60);
    const env = Object.fromEntries(texts.map((text, index) => [`VALUE_${index}`, text]));
    const values = texts.map((_text, index) => `printf '%s|' "$VALUE_${index}"`).join('; ');
    const { stdout } = await launched(shell, {
      command: ['sh', '-c', `${values}; printf '%s|' "$@"`, 'sh', ...texts],
      env: { ...env, 'not-a.name': 'x' },
    });
    expect(stdout).toBe([...texts, ...texts].map((text) => `${text}|`).join(''));
  });

  it('passes input on, or none', async () => {
    expect((await launched(shell, { command: ['cat'] }, 'typed\n')).stdout).toBe('typed\n');
    expect((await launched(shell, { command: ['cat'] })).stdout).toBe('');
  });

  it('refuses what is not there, and makes the folder to work in', async () => {
    const missing = await launched(shell, { command: ['no-such-program'] });
    expect(missing.told).toEqual([
      { kind: 'refused', message: 'exec: "no-such-program": executable file not found' },
    ]);
    const folder = `${dir}/deep/er ${shell}`;
    expect((await launched(shell, { command: ['pwd'], workingDir: folder })).stdout).toBe(`${folder}\n`);
    const notOne = await launched(shell, { workingDir: '/dev/null/x' });
    expect(notOne.told).toEqual([{ kind: 'refused', message: 'there is no folder /dev/null/x' }]);
  });

  it('ends what is left running', async () => {
    const file = `${dir}/left-${shell}`;
    const { code } = await launched(shell, {
      command: ['sh', '-c', `(sleep 3; touch ${file}) >/dev/null 2>&1 & echo $! > ${file}.pid; exit 4`],
    });
    expect(code).toBe(4);
    const pid = (await readFile(`${file}.pid`, 'utf8')).trim();
    await expect.poll(() => exists(`/proc/${pid}/exe`)).toBe(false);
  });
});

it('a signal reaches a process, or all below it', async () => {
  const parent = await start('sh', ['-c', `trap 'echo told; exit 3' TERM; sleep 60 & wait $!`]);
  let text = '';
  parent.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // The trap has to be set first.
  await expect.poll(async () => (await run('pgrep', ['-P', String(parent.pid)])).stdout.trim()).not.toBe('');
  const [, ...args] = signalCommand(parent.pid, 'SIGTERM', true);
  await run('sh', args);
  expect(await parent.exited).toMatchObject({ code: 3 });
  expect(text).toBe('told\n');
  expect(() => signalCommand(1, 'TERM; reboot', false)).toThrow('no signal');
});

it('other output passes the mark’s reader unchanged, however it is cut', () => {
  const piece = fc.constantFrom('a', '\n', '\u001e', '\u001em', 'mark', 'x'.repeat(50));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 7 }), (pieces, size) => {
      const bytes = Buffer.from(pieces.join('').replaceAll(MARK, ''));
      fc.pre(!bytes.toString().includes(MARK));
      const passed: Buffer[] = [];
      const marked = new MarkedStream(
        MARK,
        (chunk) => void passed.push(Buffer.from(chunk)),
        () => undefined,
      );
      for (let at = 0; at < bytes.length; at += size) void marked.push(bytes.subarray(at, at + size));
      marked.end();
      expect(Buffer.concat(passed).toString()).toBe(bytes.toString());
    }),
  );
});
