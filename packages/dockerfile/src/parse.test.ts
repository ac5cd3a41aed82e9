/* oxlint-disable no-restricted-imports -- the room is pure; this test reads its cases from the disk. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KEYWORDS, parseDockerfile } from './index.ts';
import { summarise } from './testing/summary.ts';

const cases = path.join(import.meta.dirname, 'cases');

describe('parseDockerfile', () => {
  test.each(readdirSync(cases))('%s', (name) => {
    const text = readFileSync(path.join(cases, name, 'Dockerfile'), 'utf8');
    const expected: unknown = JSON.parse(readFileSync(path.join(cases, name, 'expected.json'), 'utf8'));
    expect(summarise(parseDockerfile(text))).toEqual(expected);
  });

  test('an empty file is a problem, not a crash', () => {
    expect(parseDockerfile('').problems.map(({ code }) => code)).toEqual(['FILE_EMPTY']);
  });

  test.each<[string, string, string]>([
    ['ONBUILD after ONBUILD', `FROM a\n${'ONBUILD '.repeat(50_000)}\n`, 'ONBUILD_FORBIDDEN'],
    ['lines before the first FROM', 'USER a\n'.repeat(130_000), 'FROM_MISSING'],
    ['a keyword without end', `FROM a\n${'X'.repeat(1_000_000)} a\n`, 'INSTRUCTION_UNKNOWN'],
    ['a flag without end', `FROM a\nRUN --${'x'.repeat(1_000_000)}=1 a\n`, 'FLAG_UNKNOWN'],
  ])(
    'stands and is quick however many there are: %s',
    (_, text, code) => {
      expect(parseDockerfile(text).problems[0]).toMatchObject({ code });
    },
    30_000,
  );

  const line = fc.oneof(
    fc.constantFrom(
      ...KEYWORDS.map((keyword) => `${keyword} `),
      'ONBUILD RUN <<X',
      'COPY <<-"E" <<F /',
      '\\',
    ),
    fc.constantFrom('["a", 1]', '--mount', '--from=x y', 'EOF', '# escape=`', '${a', '\t', "'", '\r'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );

  test('never throws, and keeps every position inside the text', () => {
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '', ' '), (lines, glue) => {
        const file = parseDockerfile(lines.join(glue));
        for (const { range } of [...file.instructions, ...file.problems]) {
          expect(range.start.line).toBeGreaterThan(0);
          expect(range.end.line).toBeLessThanOrEqual(Math.max(1, file.lines.length));
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('the example of the README', () => {
  const file = parseDockerfile('FROM debian:12\nCOPPY a b\n');
  const [problem] = file.problems;
  expect(`${problem?.range.start.line}:${problem?.range.start.column} ${problem?.message}`).toBe(
    '2:1 unknown instruction COPPY; did you mean COPY?',
  );
});
