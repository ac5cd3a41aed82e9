import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import type { ImageStore, Layer } from '@updraft/oci';
import { mountOverlay } from '@updraft/pods';
import { raw, textOf } from './raw-path.ts';

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
  const overlay = await mountOverlay({ lower, upper, target: path.join(folder, 'root') });
  return { path: overlay.target, upper: writable ? upper : undefined, close: () => overlay.remove() };
}

/** Removes a scratch folder that may hold foreign, read-only or immutable things; what is gone is no error. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 2 });
}

/** The names in a folder; none when it isn't there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(raw(folder), 'buffer')).map(textOf);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** lstat, or undefined when nothing is there. */
export async function statusOf(file: string) {
  try {
    return await lstat(raw(file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
