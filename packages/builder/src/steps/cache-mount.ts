import { chmod, chown, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Stage } from '@updraft/dockerfile';
import type { Undo } from '@updraft/kit';
import type { Mount } from '@updraft/pods';
import type { Build } from '../build.ts';
import { copyTree } from '../files/copy-tree.ts';
import { statusOf } from '../files/merged-root.ts';
import { EVERYTHING, readTree } from '../files/source-tree.ts';
import { keyOf } from '../key.ts';
import type { KeyPart } from '../key.ts';
import { originDigest } from './origin-digest.ts';
import { findOrigin, withOrigin } from './origin.ts';
import type { RunMount } from './run-mounts.ts';

type CacheMount = Extract<RunMount, { type: 'cache' }>;

/** What an empty cache starts with; undefined: nothing. */
export async function cacheStart(build: Build, stage: Stage, mount: CacheMount): Promise<KeyPart> {
  if (mount.from === undefined) return undefined;
  const origin = await findOrigin(build, stage, mount.from);
  return await originDigest(build, origin, { patterns: [mount.source], exclude: [], parents: false });
}

/** The folder of a cache, made when it is used for the first time. Nothing of it gets into a layer. */
export async function cacheMount(
  build: Build,
  stage: Stage,
  mount: CacheMount,
  { folder, undo }: { folder: string; undo: Undo },
): Promise<Mount> {
  const { workshop, request } = build;
  const space = request.buildArgs?.['BUILDKIT_CACHE_MOUNT_NS'];
  const start = await cacheStart(build, stage, mount);
  const id = space === undefined && start === undefined ? keyOf(mount.id) : keyOf(mount.id, space, start);
  const name = mount.sharing === 'private' ? takePrivate(workshop.privateCaches, id, undo) : id;
  const source = path.join(workshop.dir, 'cache-mounts', name);
  await workshop.steps.use(`cache mount ${name}`, async () => {
    if (await statusOf(source)) return;
    const made = path.join(workshop.dir, 'cache-mounts', `.new-${name}`);
    await rm(made, { recursive: true, force: true });
    await mkdir(made, { recursive: true });
    await fill(build, stage, mount, { folder, target: made });
    await rename(made, source);
  });
  return { kind: 'bind', source, target: mount.target, readOnly: mount.readOnly };
}

/** A private cache is one that no other command is using: the first free one of its id. */
function takePrivate(taken: Set<string>, id: string, undo: Undo): string {
  for (let number = 0; ; number += 1) {
    const name = `${id}-p${number}`;
    if (taken.has(name)) continue;
    taken.add(name);
    undo.add(() => void taken.delete(name));
    return name;
  }
}

async function fill(
  build: Build,
  stage: Stage,
  mount: CacheMount,
  { folder, target }: { folder: string; target: string },
): Promise<void> {
  if (mount.from !== undefined) {
    const origin = await findOrigin(build, stage, mount.from);
    await withOrigin(build, origin, folder, async (root) => {
      const tree = await readTree(root, mount.source, EVERYTHING, build.workshop);
      const options = { owner: undefined, mode: undefined, timestampMs: undefined };
      await copyTree(tree, target, options, build.workshop.clock);
    });
  }
  await chown(target, mount.uid, mount.gid);
  await chmod(target, mount.mode);
}
