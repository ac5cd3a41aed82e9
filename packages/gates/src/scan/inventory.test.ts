import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inventoryOfFolder, inventoryOfLayers } from './inventory.ts';
import type { LayerSummary } from './layer-summary.ts';
import { fileSummaryCache } from './summary-cache.ts';
import { DEBIAN_12, dpkg, npm, tinyImage } from './testing/tiny-image.ts';
import type { LayerFiles } from './testing/tiny-image.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-inventory-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function inventory(...layers: readonly LayerFiles[]) {
  const image = await tinyImage(folder, layers);
  const found = await inventoryOfLayers(image.layers);
  const names = found.packages.map(({ ecosystem, name, version }) => `${ecosystem} ${name} ${version}`);
  return { ...found, names, image };
}

describe('the inventory', () => {
  it('reads Debian’s database, with sources', async () => {
    const status =
      dpkg('zlib1g', '1:1.2.13.dfsg-1', 'zlib') + dpkg('bsdutils', '1:2.38.1-5', 'util-linux (2.38.1-5)');
    const removed = 'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n';
    const { names, packages, os } = await inventory({
      ...DEBIAN_12,
      'var/lib/dpkg/status': status + removed,
    });
    expect(os).toEqual({ family: 'debian', version: '12.15' });
    expect(names).toEqual(['dpkg bsdutils 1:2.38.1-5', 'dpkg zlib1g 1:1.2.13.dfsg-1']);
    expect(packages.map(({ source }) => source)).toEqual([
      { name: 'util-linux', version: '2.38.1-5' },
      { name: 'zlib', version: '1:1.2.13.dfsg-1' },
    ]);
  });

  it('reads the databases of distroless images and of Alpine', async () => {
    const { names } = await inventory({
      'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a\n',
      'var/lib/dpkg/status.d/tzdata.md5sums': 'Package: no\nVersion: 1\n',
      'lib/apk/db/installed': 'P:musl\nV:1.2.4-r2\nA:x86_64\no:musl\n\nP:busybox-binsh\nV:1.36\no:busybox\n',
    });
    expect(names).toEqual(['apk busybox-binsh 1.36', 'apk musl 1.2.4-r2', 'dpkg tzdata 2024a']);
  });

  it('takes npm and Python packages that are installed, and not what merely looks like them', async () => {
    const { names } = await inventory({
      'app/package.json': npm('app', '1.0.0'),
      'app/node_modules/lodash/package.json': npm('lodash', '4.17.15'),
      'app/node_modules/@s/p/package.json': npm('@s/p', '2.0.0'),
      'app/node_modules/a/node_modules/b/package.json': npm('b', '3.0.0'),
      'app/node_modules/a/test/fixtures/package.json': npm('fixture', '9.0.0'),
      'app/node_modules/a/package.json': '{"name": "a"}',
      'app/node_modules/broken/package.json': '{',
      'usr/lib/python3/dist-packages/Jinja2-2.10.dist-info/METADATA':
        'Metadata-Version: 2.1\nName: Jinja2\nVersion: 2.10\n\nName: x\n',
      'usr/lib/python3/dist-packages/old.egg-info': 'Name: old\nVersion: 1.0\n',
    });
    expect(names).toEqual([
      'npm @s/p 2.0.0',
      'npm b 3.0.0',
      'npm lodash 4.17.15',
      'pypi Jinja2 2.10',
      'pypi old 1.0',
    ]);
  });

  it('leaves out what a package of the distribution brought', async () => {
    const { names } = await inventory({
      'usr/share/nodejs/node_modules/minimist/package.json': npm('minimist', '1.2.7'),
      'usr/lib/python3/dist-packages/six-1.dist-info/METADATA': 'Name: six\nVersion: 1\n',
      'app/node_modules/minimist/package.json': npm('minimist', '0.0.8'),
      'var/lib/dpkg/info/node-minimist.list':
        '/.\n/usr/share/nodejs/node_modules/minimist/package.json\n/lib/python3/dist-packages/six-1.dist-info/METADATA\n',
    });
    expect(names).toEqual(['npm minimist 0.0.8']);
  });

  it('lets later layers win, and honours whiteouts, opaque folders and links', async () => {
    const below = {
      'a/node_modules/x/package.json': npm('x', '1.0.0'),
      'b/node_modules/x/package.json': npm('x', '2.0.0'),
      'c/node_modules/x/package.json': npm('x', '3.0.0'),
      'd/node_modules/x/package.json': npm('x', '4.0.0'),
      'e/node_modules/x/package.json': npm('x', '5.0.0'),
    };
    const { names } = await inventory(below, {
      'a/node_modules/x/package.json': npm('x', '1.0.1'),
      'b/.wh.node_modules': '',
      'c/node_modules/.wh..wh..opq': '',
      'c/node_modules/y/package.json': npm('y', '3.0.0'),
      'd/node_modules': '-> /elsewhere',
    });
    expect(names).toEqual(['npm x 1.0.1', 'npm x 5.0.0', 'npm y 3.0.0']);
  });

  it('knows the layer that brought a package, also when a later one rewrites the database', async () => {
    const { packages, image } = await inventory(
      { 'var/lib/dpkg/status': dpkg('a', '1') + dpkg('b', '1') },
      { 'var/lib/dpkg/status': dpkg('a', '1') + dpkg('b', '2') + dpkg('c', '1') },
    );
    const indexes = packages.map(({ layer }) =>
      image.layers.findIndex(({ diffId }) => diffId === layer?.diffId),
    );
    expect(indexes).toEqual([0, 1, 1]);
  });

  it('does not leave a layer and does not fail on a strange one', async () => {
    const { names } = await inventory({
      '../../etc/node_modules/evil/package.json': npm('evil', '1.0.0'),
      '/abs/node_modules/fine/package.json': npm('fine', '1.0.0'),
      [`${'long/'.repeat(60)}node_modules/deep/package.json`]: npm('deep', '1.0.0'),
    });
    expect(names).toEqual(['npm deep 1.0.0', 'npm fine 1.0.0']);
    const file = path.join(folder, 'noise');
    await writeFile(file, Buffer.alloc(4096, 0x41));
    const layer = { diffId: `sha256:${'3'.repeat(64)}` as const, digest: undefined, content: { tar: file } };
    expect((await inventoryOfLayers([layer])).packages).toEqual([]);
  });

  it('keeps a layer’s summary and reads it instead of the layer', async () => {
    const image = await tinyImage(folder, [{ 'node_modules/a/package.json': npm('a', '1.0.0') }]);
    const kept = new Map<string, LayerSummary>();
    const cache = {
      get: async (id: string) => kept.get(id),
      set: async (id: string, summary: LayerSummary) =>
        void kept.set(id, JSON.parse(JSON.stringify(summary)) as LayerSummary),
    };
    const first = await inventoryOfLayers(image.layers, cache);
    await rm(folder, { recursive: true });
    expect(await inventoryOfLayers(image.layers, cache)).toEqual(first);
    expect(first.packages).toHaveLength(1);
  });

  it('keeps summaries in files; a broken one is made again', async () => {
    const image = await tinyImage(folder, [{ 'node_modules/a/package.json': npm('a', '1.0.0') }]);
    const cache = fileSummaryCache(path.join(folder, 'cache'));
    const first = await inventoryOfLayers(image.layers, cache);
    const [file = ''] = await readdir(path.join(folder, 'cache'));
    expect(await inventoryOfLayers(image.layers, cache)).toEqual(first);
    await writeFile(path.join(folder, 'cache', file), '{');
    expect(await inventoryOfLayers(image.layers, cache)).toEqual(first);
    expect(first.packages).toHaveLength(1);
  });

  it('reads folders without following links', async () => {
    await mkdir(path.join(folder, 'root/node_modules/a'), { recursive: true });
    await mkdir(path.join(folder, 'outside/b'), { recursive: true });
    await writeFile(path.join(folder, 'root/node_modules/a/package.json'), npm('a', '1.0.0'));
    await writeFile(path.join(folder, 'outside/b/package.json'), npm('b', '1.0.0'));
    await symlink(path.join(folder, 'outside/b'), path.join(folder, 'root/node_modules/b'));
    await symlink(path.join(folder, 'root'), path.join(folder, 'root/loop'));
    const { packages } = await inventoryOfFolder(path.join(folder, 'root'));
    expect(packages.map(({ name }) => name)).toEqual(['a']);
  });
});
