import { expect, it } from 'vitest';
import { LOCK_FILE_READERS } from './lock-files.ts';

function packages(path: string, content: string): readonly string[] | undefined {
  const facts = LOCK_FILE_READERS.find(({ pattern }) => pattern.test(path))?.read(content, path);
  if (facts?.kind !== 'language') return undefined;
  return facts.packages.map(({ name, version, isDev }) => `${name} ${version}${isDev ? ' dev' : ''}`);
}

const V1 = {
  lockfileVersion: 1,
  dependencies: {
    a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } },
    '@s/c': { version: '3.0.0', dev: true },
    aliased: { version: 'npm:real@4.0.0' },
  },
};

const V3 = {
  lockfileVersion: 3,
  packages: {
    '': { name: 'project', version: '9.9.9' },
    'workspace/w': { name: 'w', version: '1.0.0' },
    'node_modules/w': { resolved: 'workspace/w', link: true },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/@s/c': { version: '3.0.0', dev: true },
    'node_modules/aliased': { name: 'real', version: '4.0.0' },
    'node_modules/x/node_modules/@s/c': { version: '3.0.0' },
  },
};

const YARN_1 = `# yarn lockfile v1


"@s/c@^3.0.0", "@s/c@^3.1.0":
  version "3.1.0"
  resolved "https://registry/c.tgz"
  dependencies:
    a "^1.0.0"

a@^1.0.0:
  version "1.0.2"
`;

const YARN_BERRY = `__metadata:
  version: 8

"@s/c@npm:^3.0.0, @s/c@npm:^3.1.0":
  version: 3.1.0
  resolution: "@s/c@npm:3.1.0"

"aliased@npm:real@^4.0.0":
  version: 4.0.0

"project@workspace:.":
  version: 0.0.0-use.local
`;

it.each([
  ['package-lock.json', JSON.stringify(V1), ['a 1.0.0', 'b 2.0.0', '@s/c 3.0.0 dev', 'real 4.0.0']],
  ['sub/package-lock.json', JSON.stringify(V3), ['a 1.0.0', 'b 2.0.0', '@s/c 3.0.0', 'real 4.0.0']],
  ['yarn.lock', YARN_1, ['@s/c 3.1.0', 'a 1.0.2']],
  ['yarn.lock', YARN_BERRY, ['@s/c 3.1.0', 'real 4.0.0']],
  [
    'pnpm-lock.yaml',
    `lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {}\n  '@s/c@3.0.0(a@1.0.0)':\n    resolution: {}\n  /b/2.0.0_a@1.0.0:\n    dev: true\n  /d@4.0.0: {}\n`,
    ['a 1.0.0', '@s/c 3.0.0', 'b 2.0.0 dev', 'd 4.0.0'],
  ],
  [
    'requirements.txt',
    'a==1.0\nb[x] == 2.0 ; python_version > "3"\n# c==1\nd>=1\ne===3.0 # pinned\n',
    ['a 1.0', 'b 2.0', 'e 3.0'],
  ],
  [
    'Pipfile.lock',
    JSON.stringify({ default: { a: { version: '==1.0' } }, develop: { b: { version: '==2.0' } } }),
    ['a 1.0', 'b 2.0 dev'],
  ],
  [
    'poetry.lock',
    '[[package]]\nname = "a"\nversion = "1.0"\n\n[[package]]\nname = "b"\nversion = "2.0"\ncategory = "dev"\n',
    ['a 1.0', 'b 2.0 dev'],
  ],
  [
    'go.mod',
    'module example.org/x\n\ngo 1.22\n\nrequire golang.org/x/net v0.10.0\nrequire (\n\tgithub.com/a/b v1.0.0 // indirect\n\tgithub.com/c/d v1.2.0\n)\nreplace github.com/a/b => github.com/fork/b v1.0.1\nreplace github.com/c/d v1.2.0 => ../d\n',
    ['golang.org/x/net v0.10.0', 'github.com/fork/b v1.0.1'],
  ],
])('reads %s %#', (path, content, expected) => expect(packages(path, content)).toEqual(expected));

it.each([
  'node_modules/a/yarn.lock',
  'app/node_modules/a/package-lock.json',
  'vendor/x/go.mod',
  'my-package-lock.json',
])('leaves %s to others', (path) => expect(packages(path, '{}')).toBeUndefined());

it('refuses bombs', () => {
  const bomb = `a: &a [x]\nb: &b [*a, *a]\npackages:\n  c: *b\n`;
  expect(() => packages('pnpm-lock.yaml', bomb)).toThrow();
});
