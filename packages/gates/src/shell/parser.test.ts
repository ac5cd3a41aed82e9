import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandsOf, dropFlagValues, flagValues, hasFlag, pipelinesOf, plainArgs } from './commands.ts';
import { parseShell } from './parser.ts';

const names = (text: string) => commandsOf(parseShell(text)).map(({ name }) => name);
const piped = (text: string) => pipelinesOf(parseShell(text)).filter((p) => p.commands.length > 1).length;

const first = (text: string) => {
  const [command] = commandsOf(parseShell(text));
  if (command === undefined) throw new Error('no command');
  return command;
};

describe('parseShell', () => {
  it.each([
    ['a && b || c; d & e', ['a', 'b', 'c', 'd', 'e']],
    ['a\nb # not c\n\nd', ['a', 'b', 'd']],
    ['(a; b) | { c; d; }', ['a', 'b', 'c', 'd']],
    ['if a; then b; elif c; then d; else e; fi', ['a', 'b', 'c', 'd', 'e']],
    ['while a; do b; done; until c; do d; done', ['a', 'b', 'c', 'd']],
    ['for f in x $(y); do z "$f"; done', ['y', 'z']],
    ['case "$x" in a|b) c ;; (*) d ;; esac; e', ['c', 'd', 'e']],
    ['f() { a; }; function g { b; }; c', ['a', 'b', 'c']],
    ['x=$(a `b`) y="$(c | d)" e', ['e', 'a', 'b', 'c', 'd']],
    ['[[ -n $a && $b == c ]] && d', ['d']],
    ['cat <<EOF && b\nrm -rf /\nEOF\nc', ['cat', 'b', 'c']],
    ["cat <<-'E'\n\tnope\n\tE\nd", ['cat', 'd']],
    ['diff <(a) <(b) > >(c)', ['diff', 'a', 'b', 'c']],
    ['a \\\n  b \\\n && c', ['a', 'c']],
    ['! a | time b', ['a', 'time']],
    ['command -x; command apt-get update; exec b', ['-x', 'apt-get', 'b']],
    ['echo $((1 + (2)))', ['echo']],
    ['A=1 B=2', []],
  ])('finds the commands of %j', (text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  it('keeps quotes apart from words and expansions as they are written', () => {
    const [command] = commandsOf(parseShell(`p 'a b' "c $D" e\\ f ''g "$(h "i j")" 2>/dev/null k>&2`));
    expect(command?.args).toEqual(['a b', 'c $D', 'e f', 'g', '$(h "i j")', 'k']);
    expect(command?.node.redirections.map(({ operator, target }) => operator + target.text)).toEqual([
      '>/dev/null',
      '>&2',
    ]);
  });

  it('sees pipes wherever they are', () => {
    expect(piped('a || b; c && d')).toBe(0);
    expect(piped('a | b; x=$(c | d); (e | f) && echo "g | h"')).toBe(3);
  });

  it.each([
    'if a; then b',
    'a "b',
    '(a',
    ')',
    'fi',
    '>',
    'case x in',
    '${',
    '$(',
    '`',
    '((',
    ';;',
    'a &&',
    '| a',
    'for',
  ])('survives %j', (text) => {
    expect(() => commandsOf(parseShell(text))).not.toThrow();
  });

  it('gives up on absurd nesting instead of overflowing', () => {
    expect(() => parseShell('('.repeat(100_000))).not.toThrow();
    expect(() => parseShell('$('.repeat(20_000))).not.toThrow();
  });
});

describe('a command', () => {
  it('knows its flags', () => {
    const command = first(
      'apt-get -qy -o Dpkg::x=1 install --no-install-recommends foo=1 --target=y - -- -z',
    );
    expect(command.flags).toEqual(['q', 'y', 'o', 'no-install-recommends', 'target']);
    expect(hasFlag(command, 'y', 'yes')).toBe(true);
    expect(flagValues(command, 'target')).toEqual(['y']);
    expect(flagValues(command, 'o')).toEqual(['Dpkg::x=1']);
    expect(plainArgs(dropFlagValues(command, 'o'))).toEqual(['install', 'foo=1', '-']);
  });
});

it('never throws, and finds a command in whatever stands before a separator', () => {
  const pieces = fc.constantFrom(
    ...'abc $ ( ) { } " \' ` \\ | & ; < > # \n ! = if then fi case in esac for do done [[ ]] << EOF'.split(
      ' ',
    ),
    ' ',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (all) => {
      const text = all.join('');
      expect(Array.isArray(commandsOf(parseShell(text)))).toBe(true);
      expect(commandsOf(parseShell(`known\n${text}`))[0]?.name).toBe('known');
    }),
    { numRuns: 2000 },
  );
});
