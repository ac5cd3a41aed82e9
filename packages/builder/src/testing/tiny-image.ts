import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { codeOf, run, runOrThrow } from '@updraft/kit';
import { importRootFsTar, machineArchitecture } from '@updraft/oci';
import type { Image, ImageStore } from '@updraft/oci';

const PROGRAMS = [
  'sh',
  'cat',
  'ls',
  'id',
  'env',
  'mkdir',
  'rm',
  'chmod',
  'chown',
  'ln',
  'touch',
  'sleep',
  'stat',
  'mv',
];

/** A few megabytes of the host's own programs, as an image: enough to run scripts in, made without any network. */
export async function tinyImage(store: ImageStore): Promise<Image> {
  const root = await mkdtemp(path.join(tmpdir(), 'updraft-tiny-'));
  const tar = `${root}.tar`;
  try {
    await fillRoot(root);
    await runOrThrow('tar', [
      '--create',
      '--file',
      tar,
      '--directory',
      root,
      '--sort=name',
      '--mtime=@0',
      '.',
    ]);
    const layer = await importRootFsTar(store, tar);
    return await store.putImage(
      {
        created: new Date(0).toISOString(),
        architecture: machineArchitecture(),
        os: 'linux',
        config: { Env: ['PATH=/usr/bin'], Cmd: ['sh'] },
        history: [{ created_by: 'the programs of this machine' }],
      },
      [layer],
    );
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(tar, { force: true });
  }
}

async function fillRoot(root: string): Promise<void> {
  await chmod(root, 0o755);
  for (const folder of ['usr/bin', 'etc', 'home', 'tmp', 'var', 'dev', 'proc', 'sys'])
    await mkdir(path.join(root, folder), { recursive: true });
  for (const link of ['bin', 'sbin', 'lib', 'lib64', 'lib32'])
    await copyLink(`/${link}`, path.join(root, link));
  await writeFile(path.join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:500:600::/home:/bin/sh\n');
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\nteam:x:600:\nother:x:700:\n');
  for (const program of PROGRAMS) {
    const file = (await runOrThrow('which', [program])).trim();
    await copyFile(await realpath(file), path.join(root, 'usr/bin', program));
    const { stdout } = await run('ldd', [file]);
    for (const [library] of stdout.matchAll(/\/\S+\.so\S*/g)) await copyLibrary(root, library);
  }
}

/** On a merged-/usr system these are links into it; elsewhere they are real folders, and made as needed. */
async function copyLink(from: string, to: string): Promise<void> {
  try {
    await symlink(await readlink(from), to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EINVAL') throw error;
  }
}

async function copyLibrary(root: string, library: string): Promise<void> {
  const folder = await realpath(path.dirname(library));
  await mkdir(path.join(root, folder), { recursive: true });
  await copyFile(await realpath(library), path.join(root, folder, path.basename(library)));
}
