import fc from 'fast-check';
import { Document } from 'yaml';
import { describe, expect, it } from 'vitest';
import { Problems } from '../problems.ts';
import { listFolders, listReference, readFolder, readReference } from '../testing/reference.ts';
import { SourceFile, positionOf } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { readSimpleYaml } from './read-simple.ts';
import { readCompleteYaml } from './read-yaml.ts';

/** Values and places, without the objects between. */
function show(tree: Tree): unknown {
  const { line, column } = positionOf(tree.at);
  const place = `${line}:${column}`;
  switch (tree.kind) {
    case 'leaf':
      return [place, tree.value, tree.text];
    case 'list':
      return [place, tree.items.map(show)];
    case 'reference':
      return [place, 'reference', tree.path];
    case 'map':
      return [
        place,
        [...tree.entries].map(([key, entry]) => [
          key,
          positionOf(entry.at).line,
          positionOf(entry.at).column,
          show(entry.value),
        ]),
      ];
  }
}

/** Whether the simple reader took it; when it did, the complete one must say the same, without a problem. */
function agree(text: string): boolean {
  const simple = readSimpleYaml(new SourceFile('f.yml', text));
  if (!simple) return false;
  const problems = new Problems();
  const [complete, ...more] = readCompleteYaml(new SourceFile('f.yml', text), problems);
  expect({ text, problems: problems.list(), more }).toEqual({ text, problems: [], more: [] });
  expect({ text, tree: show(simple) }).toEqual({ text, tree: complete && show(complete) });
  return true;
}

describe('the two readers of YAML', () => {
  it('agree on every case and every schema test', () => {
    const cases = listFolders('cases').flatMap((name) => [...readFolder(`cases/${name}`)]);
    const own = cases.filter(([file]) => /\.ya?ml$/.test(file)).map(([, text]) => text);
    const schema = listReference('schema-tests').filter((file) => file.endsWith('.yml'));
    const taken = [...own, ...schema.map((file) => readReference(`schema-tests/${file}`))].map(agree);
    expect(taken.filter(Boolean).length).toBeGreaterThan(taken.length / 2);
  });

  it.each([
    'a: |\n  one\n\n    two\n  # three\n\n# end\nb: |-\n  x\n',
    'a:\n- b\n-   c: 1\n    d: [x, {e: f}, "g h", *i]\n',
    'a: &x [1, 2]\nb: *x\nc: &y\n  d: e\nf: *y # comment\n',
    'a: b # c\n"d": e#f\n\'g h\': i: j\n',
    'a:\n  - - b\n    - c\n  -\n    d: e\n',
    "- a\n- \"b\\n\\\"c\\\"\"\n- it's\n- 'it''s'\n- http://x:80/y#z\n",
    'a: !reference [.b, c]\nd: [!reference [.e, f]]\n',
    'a:\nb: ~\nc: {}\nd: []\ne: ""\n',
    'a: >-\n  one\n  two\nb: >\n  three\n  four\n',
    'a: >\n  one\n\n  two\n   three\nb: c\n',
    '? a\n: b\n',
    'a:\n  b: c\n   d: e\n',
    'a: b\n  c\n',
    'a: - b\n',
    'a: "b" c\n',
    'a: [b, c\n',
    'script:\n  - echo a: b\n',
    'a: |\n\n  x\n',
    'a: {b: c,d: e}\n',
    'a: [b,c, d ]\n',
    'a:b: c\n',
    'a : b\n',
    '-a: b\n--- x\n',
  ])('agree on %j', (text) => void agree(text));

  it('agree on whatever is put together from pieces', { timeout: 30_000 }, () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      ': ',
      ':',
      '\n',
      '\n  ',
      '\n    ',
      '- ',
      '-',
      '[',
      ']',
      '{',
      '}',
      ', ',
      ',',
      '"',
      "'",
      ' #',
      '#',
      '|',
      '|-\n',
      '>-\n',
      '>\n',
      '&x ',
      '*x',
      '!reference [a]',
      ' ',
      '1',
      'yes',
      '~',
      '?',
      '>',
      '%',
      '.',
      '<<',
      '\\',
      '$',
      '🚀',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => void agree(pieces.join(''))),
      { numRuns: 3000 },
    );
  });

  it('agree on what the yaml package prints', { timeout: 30_000 }, () => {
    const word = fc.oneof(
      fc.stringMatching(/^[a-z$./:# -]{0,12}$/),
      fc.constantFrom('yes', '1', 'a: b', '- a', '', 'a\nb\n', 'a #b', "it's"),
    );
    const value = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        word,
        fc.integer(),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(word, tie('node'), { maxKeys: 4 }),
      ),
    })).node;
    let taken = 0;
    fc.assert(
      fc.property(fc.dictionary(word, value, { minKeys: 1 }), fc.boolean(), (config, indentSeq) => {
        if (
          agree(
            new Document(config, { version: '1.1' }).toString({ lineWidth: 0, directives: false, indentSeq }),
          )
        )
          taken += 1;
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(30);
  });
});
