import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDockerfile } from '@updraft/dockerfile';
import type { RunInstruction } from '@updraft/dockerfile';
import { parseMode } from './files/mode.ts';
import { keyOf } from './key.ts';
import { logLines } from './log-lines.ts';
import { Scope } from './scope.ts';
import { readMounts } from './steps/run-mounts.ts';

// JSON writes undefined in an array as null, which no part can be.
const undefinedAt = (parts: readonly unknown[]) => parts.map((value) => value === undefined).join();

describe('keyOf', () => {
  const part = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(undefined),
    fc.array(fc.string(), { maxLength: 3 }),
  );

  test('different parts, different keys', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (a, b) => {
        expect(keyOf(...a) === keyOf(...b)).toBe(
          JSON.stringify(a) === JSON.stringify(b) && undefinedAt(a) === undefinedAt(b),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('the bounds between parts count', () => {
    expect(keyOf('ab', 'c')).not.toBe(keyOf('a', 'bc'));
    expect(keyOf(['a'], 'b')).not.toBe(keyOf(['a', 'b']));
    expect(keyOf('1')).not.toBe(keyOf(1));
    // Bytes of two names that are no UTF-8.
    expect(keyOf('\udc80')).not.toBe(keyOf('\udc81'));
  });
});

describe('parseMode', () => {
  test.each([
    ['755', 0o600, false, 0o755],
    ['4755', 0o600, false, 0o4755],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['u=rwX,go=rX', 0o100, false, 0o755],
    ['a+x', 0o644, false, 0o755],
    ['+x', 0o644, false, 0o755],
    ['o-rwx', 0o777, false, 0o770],
    ['g=u', 0o640, false, 0o660],
    ['u+s,g+s,+t', 0o755, false, 0o7755],
    ['go=', 0o2775, true, 0o2700],
  ])('%s of %o (folder: %s)', (text, before, isFolder, after) => {
    expect(parseMode(text)(before, isFolder).toString(8)).toBe(after.toString(8));
  });

  test.each(['', '8', '77777', 'u+q', 'rwx', 'u=r,,g=r'])('%j is refused', (text) => {
    expect(() => parseMode(text)).toThrow('is no mode');
  });
});

const read = (flags: string) => {
  const [stage] = parseDockerfile(`FROM x\nRUN ${flags} true\n`).stages;
  const scope = new Scope('\\', [['DIR', '/from-env']]);
  return readMounts(stage?.instructions[0] as RunInstruction, scope, '/work');
};

describe('readMounts', () => {
  test.each([
    [
      '--mount=type=cache,target=$DIR/x,sharing=locked',
      { type: 'cache', target: '/from-env/x', id: '/from-env/x', sharing: 'locked' },
    ],
    [
      '--mount=target=rel,from=a,rw',
      { type: 'bind', target: '/work/rel', from: 'a', source: '/', writable: true },
    ],
    ['--mount=type=tmpfs,dst=/t,size=64m', { type: 'tmpfs', target: '/t', sizeBytes: 64 * 2 ** 20 }],
    ['--mount=type=secret,id=k', { type: 'secret', id: 'k', target: '/run/secrets/k', mode: 0o400 }],
    ['--mount=type=secret,id=k,env=K', { type: 'secret', id: 'k', target: undefined, variable: 'K' }],
    ['--mount=type=secret,target=/etc/k,mode=0440,uid=5', { id: 'k', target: '/etc/k', mode: 0o440, uid: 5 }],
  ])('%s', (flags, expected) => {
    expect(read(flags)[0]).toMatchObject(expected);
  });

  test.each([
    ['--mount=type=floppy,target=/x', /no mount type floppy/],
    ['--mount=type=cache,target=/x,sharing=sometimes', /sharing is shared/],
    ['--mount=type=tmpfs,target=/x,uid=5', /a tmpfs mount has no option uid/],
    ['--mount=type=bind,target=/', /whole root/],
    ['--mount=target', /target needs a value/],
    ['--mount=type=secret', /needs id/],
  ])('%s is refused', (flags, message) => {
    expect(() => read(flags)).toThrow(message);
  });
});

test('logLines cuts anywhere and keeps characters whole', () => {
  const lines: string[] = [];
  const log = logLines((line) => lines.push(line));
  const bytes = Buffer.from('one\r\ntwo ☺\nthr');
  for (const byte of bytes) log.write(Buffer.from([byte]));
  log.write(Buffer.from('ee'));
  log.end();
  expect(lines).toEqual(['one', 'two ☺', 'three']);
});
