import { chmod, lchown, lstat } from 'node:fs/promises';
import { diskFault } from '@updraft/kit';
import type { Layer } from '@updraft/oci';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { openMergedRoot, removeFolder } from '../files/merged-root.ts';
import type { MergedRoot } from '../files/merged-root.ts';
import { keyOf } from '../key.ts';
import type { KeyPart } from '../key.ts';

/** An instruction that may change files. */
export interface LayerStep {
  /** As the log shows it. */
  readonly title: string;
  /** What lies below, when that is not all of the draft. */
  readonly below?: readonly Layer[];
  /** Everything the result depends on, apart from the files below it. */
  readonly parts: readonly KeyPart[];
  /** Makes the layer in a scratch folder, which is removed afterwards. */
  readonly make: (folder: string) => Promise<Layer | undefined>;
}

/** Carries a step out, or finds what it made before. */
export async function layerStep(build: Build, draft: Draft, step: LayerStep): Promise<Layer | undefined> {
  const { workshop, request, signal, counted } = build;
  const below = (step.below ?? draft.layers).map(({ diffId }) => diffId);
  const key = keyOf(2, below, `${draft.os}/${draft.architecture}`, step.parts);
  return await workshop.steps.use(key, async () => {
    signal.throwIfAborted();
    counted.steps += 1;
    const since = request.cacheMaxAgeMs === undefined ? 0 : workshop.clock.now() - request.cacheMaxAgeMs;
    const known = request.cache ? await workshop.cache.step(key, since) : undefined;
    if (known) {
      counted.cached += 1;
      build.log(`${build.label} ${step.title} (cached)`);
      return known.layer;
    }
    const layer = await workshop.places.use(() => carryOut(build, step));
    workshop.cache.putStep(key, { layer }, workshop.clock.now());
    return layer;
  });
}

async function carryOut(build: Build, step: LayerStep): Promise<Layer | undefined> {
  build.signal.throwIfAborted();
  build.log(`${build.label} ${step.title}`);
  return await inScratch(build, async (folder) => await step.make(folder));
}

/** A scratch folder for as long as `work` takes. A full disk becomes the one fault for it. */
export async function inScratch<T>(build: Build, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await build.workshop.store.scratch('build');
  try {
    return await work(folder);
  } catch (error) {
    throw diskFault(error, folder);
  } finally {
    await removeFolder(folder);
  }
}

/** Changes the files of layers through `work` and makes a layer of what changed. */
export async function changeFiles(
  build: Build,
  below: readonly Layer[],
  folder: string,
  work: (root: MergedRoot) => Promise<void>,
): Promise<Layer | undefined> {
  const { store } = build.workshop;
  const root = await openMergedRoot(store, below, folder, true);
  try {
    await work(root);
  } finally {
    await root.close();
  }
  return root.upper ? await store.commitLayer(root.upper, { timestampMs: build.timestampMs }) : undefined;
}

/** The root of an overlay looks like its upper folder: give it what the image's root has. */
export async function takeRootMode(upper: string, below: readonly string[]): Promise<void> {
  const [top] = below;
  if (!top) return;
  const status = await lstat(top);
  await lchown(upper, status.uid, status.gid);
  await chmod(upper, status.mode & 0o7777);
}
