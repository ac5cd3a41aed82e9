import { existsSync } from 'node:fs';
import { copyFile, mkdir, readlink, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '@updraft/kit';
import type { ContainerConfig } from '@updraft/oci';
import type { ResolvedImage } from '../../ports.ts';

const PROGRAMS = [
  'cat',
  'sleep',
  'env',
  'mkdir',
  'ls',
  'basename',
  'head',
  'wc',
  'rm',
  'true',
  'id',
  'setsid',
];

/**
 * A small root file system of this host's own programs, with one shell as `sh` and the others beside it: tests need no
 * image from anywhere.
 */
export async function makeRootFs(
  dir: string,
  shells: { readonly sh?: string; readonly others?: readonly string[] },
): Promise<string> {
  const wanted = [...PROGRAMS, ...(shells.others ?? []), ...(shells.sh === undefined ? [] : [shells.sh])];
  await Promise.all(
    ['bin', 'tmp', 'etc'].map((folder) => mkdir(path.join(dir, folder), { recursive: true })),
  );
  await writeFile(
    path.join(dir, 'etc/passwd'),
    'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n',
  );
  await writeFile(path.join(dir, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
  for (const name of wanted) await copyProgram(dir, name);
  if (shells.sh !== undefined && shells.sh !== 'sh') await symlink(shells.sh, path.join(dir, 'bin/sh'));
  return dir;
}

async function copyProgram(dir: string, name: string): Promise<void> {
  const found = ['/bin', '/usr/bin', '/sbin', '/usr/sbin']
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is not installed`);
  const real = await readlink(found).then(
    (target) => path.resolve(path.dirname(found), target),
    () => found,
  );
  await copyFile(real, path.join(dir, 'bin', name));
  const libraries = (await run('ldd', [real])).stdout.matchAll(/(\/\S+) \(0x/g);
  for (const [, library = ''] of libraries) {
    await mkdir(path.join(dir, path.dirname(library)), { recursive: true });
    await copyFile(library, path.join(dir, library));
  }
}

/** An image of one layer that nobody has to pull. */
export const imageOf = (layer: string, config: ContainerConfig = {}): ResolvedImage => ({
  image: {
    digest: `sha256:${'0'.repeat(64)}`,
    manifest: {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: `sha256:${'0'.repeat(64)}`,
        size: 0,
      },
      layers: [],
    },
    config: { architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } },
    layers: [],
  } as unknown as ResolvedImage['image'],
  layers: [layer],
  notes: [],
  needsTools: false,
});
