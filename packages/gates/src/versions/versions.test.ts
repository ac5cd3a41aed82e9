import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compareApk } from './apk.ts';
import { compareDpkg } from './dpkg.ts';
import { comparePep440 } from './pep440.ts';
import { compareSemver } from './semver.ts';

type Compare = (a: string, b: string) => number | undefined;

const SCHEMES: readonly (readonly [string, Compare, readonly string[]])[] = [
  [
    'debian',
    compareDpkg,
    [
      '1.0~rc1 < 1.0',
      '1.0 = 1.0-0',
      '1:0.1 > 9',
      '1.2.3-1+deb12u4 > 1.2.3-1',
      '1.10 > 1.9',
      '1.0a < 1.0+',
      '0:1 = 1',
    ],
  ],
  [
    'semver',
    compareSemver,
    [
      '1.0.0-alpha < 1.0.0',
      '1.0.0-alpha.1 < 1.0.0-alpha.beta',
      '1.10.0 > 1.9.0',
      '1.0.0+a = 1.0.0+b',
      'v1.2 = 1.2.0',
    ],
  ],
  [
    'pep440',
    comparePep440,
    [
      '1.0.dev1 < 1.0a1',
      '1.0a1 < 1.0',
      '1.0 = 1.0.0',
      '1!0.1 > 2',
      '1.0.post1 > 1.0',
      '1.0+local > 1.0',
      '1.0-1 = 1.0.post1',
      '1.0rc1 = 1.0c1',
    ],
  ],
  [
    'alpine',
    compareApk,
    ['1.2_rc1 < 1.2', '1.2_p1 > 1.2', '1.2-r1 > 1.2-r0', '1.2a > 1.2', '1.10 > 1.9', '1.2 < 1.2.1'],
  ],
];

const FOLDER = process.env['UPDRAFT_VERSION_VECTORS'] ?? '';

function vectors(scheme: string): readonly string[] {
  const file = `${FOLDER}/${scheme}.tsv.gz`;
  if (FOLDER === '' || !existsSync(file)) return [];
  return gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line.includes('\t'));
}

describe.each(SCHEMES)('%s versions', (scheme, compare, examples) => {
  it.each(examples)('%s', (example) => {
    const [a = '', operator, b = ''] = example.split(' ');
    expect(sign(compare(a, b))).toBe(operator);
    expect(sign(compare(b, a))).toBe(operator === '=' ? '=' : operator === '<' ? '>' : '<');
  });

  const all = vectors(scheme);
  it.skipIf(all.length === 0)(
    `agrees with ${all.length} public vectors (UPDRAFT_VERSION_VECTORS names their folder)`,
    () => {
      const results = all.map((line) => {
        const [a = '', operator, b = ''] = line.split('\t');
        return { line, operator, order: sign(compare(a, b)) };
      });
      // Alpine's vectors hold malformed versions too; those have no order here and match nothing.
      const ordered = results.filter(({ order }) => order !== '?');
      expect(ordered.length).toBeGreaterThan(all.length * (scheme === 'alpine' ? 0.9 : 0.9999));
      expect(ordered.filter(({ order, operator }) => order !== operator).slice(0, 20)).toEqual([]);
    },
  );
});

it('text that is no version has no order', () => {
  expect(compareSemver('latest', '1.0.0')).toBeUndefined();
  expect(comparePep440('not a version', '1')).toBeUndefined();
  expect(compareApk('x', '1')).toBeUndefined();
});

function sign(order: number | undefined): string {
  if (order === undefined) return '?';
  return order < 0 ? '<' : order > 0 ? '>' : '=';
}
