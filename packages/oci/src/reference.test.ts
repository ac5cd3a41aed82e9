import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReference, parseReference, shortReference } from './reference.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}` as const;

test.each([
  ['node', 'docker.io/library/node:latest', 'node:latest'],
  ['node:20', 'docker.io/library/node:20', 'node:20'],
  ['bitnami/redis', 'docker.io/bitnami/redis:latest', 'bitnami/redis:latest'],
  ['docker.io/node:20', 'docker.io/library/node:20', 'node:20'],
  ['index.docker.io/library/node', 'docker.io/library/node:latest', 'node:latest'],
  ['docker.io/library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app:latest'],
  ['gcr.io/kaniko-project/executor:v1.23.2-debug', 'gcr.io/kaniko-project/executor:v1.23.2-debug', undefined],
  [
    'registry.localhost:5000/group/sub/app:ansible-develop',
    'registry.localhost:5000/group/sub/app:ansible-develop',
    undefined,
  ],
  ['[::1]:5000/app', '[::1]:5000/app:latest', undefined],
  [`node@${DIGEST}`, `docker.io/library/node@${DIGEST}`, `node@${DIGEST}`],
  [`example.com/a/b:t@${DIGEST}`, `example.com/a/b:t@${DIGEST}`, undefined],
  ['x/a.b_c__d---e', 'docker.io/x/a.b_c__d---e:latest', undefined],
  ['example.com:5000/a', 'example.com:5000/a:latest', undefined],
  ['Host/app', 'Host/app:latest', undefined],
])('%s is %s', (text, full, short) => {
  const reference = parseReference(text);
  expect(formatReference(reference)).toBe(full);
  if (short !== undefined) expect(shortReference(reference)).toBe(short);
  expect(parseReference(shortReference(reference))).toEqual(reference);
});

test.each([
  ['', 'it is empty'],
  ['Node', 'upper-case'],
  ['group/App', 'upper-case'],
  ['a//b', 'empty part'],
  ['/a', 'empty part'],
  ['a/', 'empty part'],
  ['example.com/', 'no repository'],
  ['a:', 'the tag'],
  ['a:b:c', 'not made of'],
  [`a:${'t'.repeat(129)}`, 'the tag'],
  ['a:-x', 'the tag'],
  ['a@sha256:123', 'what follows @'],
  [`a@md5:${'a'.repeat(32)}`, 'what follows @'],
  ['a b', 'not made of'],
  ['a\nb', 'not made of'],
  ['-a', 'not made of'],
  ['a..b', 'not made of'],
  ['../a', 'not a host'],
  ['a.b_c/x', 'not a host'],
  ['http://example.com/a', 'not a host'],
  ['example.com:port/a', 'not a host'],
  ['a'.repeat(300), 'longer than 255'],
  ['a'.repeat(64), 'an id, not a name'],
])('%j is refused: %s', (text, why) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({ code: 'REFERENCE_INVALID', message: expect.stringContaining(why) }),
  );
});

describe('for any text', () => {
  test('it is refused with our fault, or reads back from what it is written as', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9./:@_-]{1,40}$/)), (text) => {
        let reference;
        try {
          reference = parseReference(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REFERENCE_INVALID' });
          return;
        }
        expect(parseReference(formatReference(reference))).toEqual(reference);
        expect(parseReference(shortReference(reference))).toEqual(reference);
      }),
    );
  });

  test('a hostile one takes no time', () => {
    const started = performance.now();
    for (const text of [
      'a'.repeat(100_000),
      `${'a-'.repeat(50_000)}!`,
      `${'a/'.repeat(50_000)}!`,
      `a:${'b'.repeat(100_000)}!`,
    ]) {
      expect(() => parseReference(text)).toThrow();
    }
    expect(performance.now() - started).toBeLessThan(500);
  });
});
