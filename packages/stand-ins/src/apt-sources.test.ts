import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseList, parseStanzas, sourceLines } from './apt-sources.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function host(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'updraft-apt-'));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return root;
}

const DEBIAN = 'ID=debian\nVERSION_CODENAME=bookworm\n';

test('a Debian host’s own mirror is used, for other releases too; other people’s archives are not', async () => {
  const root = await host({
    'etc/os-release': DEBIAN,
    'etc/apt/sources.list.d/containers.list':
      'deb [arch=amd64] https://other.example/linux/debian bookworm stable\n',
    'etc/apt/sources.list.d/debian.sources':
      'Types: deb deb-src\nURIs: http://mirror.example/debian-remote/\nSuites: bookworm bookworm-updates\nComponents: main\n\nTypes: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\nSigned-By: /x\n',
  });
  expect(await sourceLines('trixie', root)).toEqual([
    'deb http://mirror.example/debian-remote trixie main',
    'deb http://mirror.example/debian-remote trixie-updates main',
    'deb http://mirror.example/security trixie-security main',
  ]);
});

test('without a Debian host, or with a password in its address, it is Debian’s own', async () => {
  const own = [
    'deb http://deb.debian.org/debian bookworm main',
    'deb http://deb.debian.org/debian bookworm-updates main',
    'deb http://deb.debian.org/debian-security bookworm-security main',
  ];
  const ubuntu = await host({
    'etc/os-release': 'ID=ubuntu\nVERSION_CODENAME=noble\n',
    'etc/apt/sources.list': 'deb http://u.example/ubuntu noble main\n',
  });
  expect(await sourceLines('bookworm', ubuntu)).toEqual(own);
  const secret = await host({
    'etc/os-release': DEBIAN,
    'etc/apt/sources.list': 'deb http://user:word@m.example/debian bookworm main\n',
  });
  expect(await sourceLines('bookworm', secret)).toEqual(own);
});

test('both forms of a source are read', () => {
  expect(
    parseList('# deb x y z\ndeb [a=b] http://h/d/ s main contrib # note\ndeb-src http://h/d s main\n'),
  ).toEqual([{ uri: 'http://h/d', suite: 's', components: 'main contrib' }]);
  expect(parseStanzas('Enabled: no\nTypes: deb\nURIs: http://h\nSuites: s\nComponents: main\n')).toEqual([]);
});
