import { lstat, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, runOrThrow } from '@updraft/kit';
import type { ImageStore, Layer } from '@updraft/oci';

/** The files of a list of layers as one folder. */
export interface MergedRoot {
  readonly path: string;
  /** Where changes land; undefined: it must not be written to. */
  readonly upper: string | undefined;
  /** Unmounts and removes all but `upper`. Idempotent. */
  close(): Promise<void>;
}

/**
 * Shows layers as one folder, to read from or, with `writable`, to change into a new layer. Everything lies in `folder`, a
 * scratch folder of the store that the caller removes.
 */
export async function openMergedRoot(
  store: ImageStore,
  layers: readonly Layer[],
  folder: string,
  writable: boolean,
): Promise<MergedRoot> {
  const lower = await store.layerFolders(layers);
  const upper = path.join(folder, 'upper');
  await mkdir(upper);
  const [only] = lower;
  if (!only) return { path: upper, upper: writable ? upper : undefined, close: async () => undefined };
  if (!writable && lower.length === 1) return { path: only, upper: undefined, close: async () => undefined };
  const target = path.join(folder, 'root');
  await mkdir(target);
  await mountLayers(folder, lower, target);
  let open = true;
  return {
    path: target,
    upper: writable ? upper : undefined,
    async close() {
      if (!open) return;
      open = false;
      await unmount(target);
    },
  };
}

/** The kernel takes one page of options, so the layers are named by short links beside the target. */
async function mountLayers(folder: string, lower: readonly string[], target: string): Promise<void> {
  const names = lower.map((_, index) => `l${index}`);
  await mkdir(path.join(folder, 'work'));
  await Promise.all(lower.map((layer, index) => symlink(layer, path.join(folder, `l${index}`))));
  const options = `lowerdir=${names.join(':')},upperdir=upper,workdir=work,index=off,metacopy=off,redirect_dir=off`;
  await runOrThrow('mount', ['-t', 'overlay', 'overlay', '-o', options, target], { cwd: folder });
}

export async function unmount(target: string): Promise<void> {
  await runOrThrow('umount', ['--lazy', target]);
}

/** Removes a scratch folder that may hold foreign, read-only or immutable things; what is gone is no error. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 2 });
}

/** The names in a folder; none when it isn't there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** lstat, or undefined when nothing is there. */
export async function statusOf(file: string) {
  try {
    return await lstat(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
