import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandWords } from './index.ts';

const values: Record<string, string> = {
  A: 'one',
  EMPTY: '',
  BLANKS: 'a  b',
  PATH: '/usr/lib/x.tar.gz',
  STARS: 'a***yy*',
  NEEDLE: '/lib',
};
const lookup = (name: string) => (Object.hasOwn(values, name) ? values[name] : undefined);

function expanded(text: string, options = {}) {
  const result = expandWords(text, lookup, options);
  return result.kind === 'expanded' ? result.text : `invalid: ${result.message}`;
}

describe('expandWords', () => {
  test.each([
    ['$A ${A} $A1 a$', 'one one  a$'],
    ['\\$A "\\$A" \'$A\' "$A"', '$A $A $A one'],
    ['"a\\nb" a\\nb', 'a\\nb anb'],
    ['${NONE:-$A} ${NONE-} ${EMPTY:-x} ${EMPTY-x}', 'one  x '],
    ['${A:+yes} ${EMPTY:+yes} ${EMPTY+yes} ${NONE+yes}', 'yes  yes '],
    ['${A?} ${EMPTY?}', 'one '],
    ['${PATH#*/} ${PATH##*/} ${PATH%.*} ${PATH%%.*}', 'usr/lib/x.tar.gz x.tar.gz /usr/lib/x.tar /usr/lib/x'],
    ['${STARS%%\\**} ${STARS#a\\*}', 'a **yy*'],
    ['${PATH/$NEEDLE/} ${PATH//\\//:} ${PATH//x/}', '/usr/x.tar.gz \\:usr\\:lib\\:x.tar.gz /usr/lib/.tar.gz'],
    ['${EMPTY///} ${A/$EMPTY/x}', ' xone'],
    ['${PATH#\\}}', '/usr/lib/x.tar.gz'],
    ['$@$1$$', ''],
    ['${NONE:-"a }b"}', 'a }b'],
  ])('%s', (text, result) => {
    // `\/` in a replacement keeps its backslash; the pattern before it does not.
    expect(expanded(text)).toBe(result.replaceAll('\\:', ':'));
  });

  test.each([
    '${',
    '${A',
    '${}',
    '${:x}',
    '${A:=x}',
    '${A=x}',
    '${A//x}',
    '"a',
    "'a",
    '${NONE?}',
    '${A#\\x}',
  ])('%s is invalid', (text) => expect(expanded(text)).toMatch(/^invalid: /));

  test('a required variable says what the file says', () => {
    expect(expanded('${NONE:?set NONE to $A}')).toBe('invalid: NONE: set NONE to one');
  });

  test('splits into words after variables were replaced, but not inside quotes', () => {
    const result = expandWords('a $BLANKS "$BLANKS" c\\ d ${NONE}', lookup);
    expect(result).toMatchObject({ words: ['a', 'a', 'b', 'a  b', 'c d'], unset: ['NONE'] });
  });

  test('the other escape character, and bodies of here-documents', () => {
    expect(expanded('C:\\x `$A', { escape: '`' })).toBe('C:\\x $A');
    expect(expanded('"$A" \\$A \\\\ \'$A\'', { literalQuotes: true })).toBe('"one" $A \\ \'one\'');
  });

  test('never throws, and is quick on any text', () => {
    const piece = fc.oneof(
      fc.constantFrom('${A', '}', '#', '%%*', '//', '$', '"', "'", '\\', ':-'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(['expanded', 'invalid']).toContain(expandWords(pieces.join(''), lookup).kind);
      }),
      { numRuns: 1000 },
    );
  });

  test('what would grow or take without end is refused', () => {
    const half = () => 'x'.repeat(300_000);
    expect(expandWords('$X', half).kind).toBe('expanded');
    for (const text of ['$X$X$X$X', `\${X//x/${'y'.repeat(200)}}`, '${X//?*z/}'])
      expect(expandWords(text, half), text).toMatchObject({ kind: 'invalid' });
  }, 30_000);

  test('a pattern of many stars does not explode', () => {
    const long = 'a'.repeat(2000);
    const result = expandWords(`\${X##${'*a'.repeat(12)}b}`, () => long);
    expect(result).toMatchObject({ text: long });
    expect(expandWords('${X%%b*}', () => 'a'.repeat(200_000))).toMatchObject({ kind: 'expanded' });
  });
});
