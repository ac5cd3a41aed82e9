import path from 'node:path';
import type { Stage } from '@updraft/dockerfile';
import { isImageContext } from '../build.ts';
import type { Build, Origin } from '../build.ts';
import { openMergedRoot } from '../files/merged-root.ts';
import type { SourceRoot } from '../files/source-tree.ts';
import { earlierStage } from '../plan.ts';

/** What `--from=name` leads to: a named context, a stage, or an image. Without a name it is the build's context. */
export async function findOrigin(build: Build, stage: Stage, name: string | undefined): Promise<Origin> {
  if (name === undefined || name === '') return { kind: 'context', root: build.context };
  const named = build.named(name);
  if (named && isImageContext(named))
    return { kind: 'layers', layers: (await build.namedImage(named))?.layers ?? [] };
  if (named) return { kind: 'context', root: await build.namedRoot(named) };
  const found = earlierStage(build.file, stage, name);
  if (found) return { kind: 'layers', layers: (await build.stage(found)).layers };
  if (name === 'scratch') return { kind: 'layers', layers: [] };
  return { kind: 'layers', layers: (await build.image(name)).layers };
}

/** Opens the files of an origin for as long as `work` takes. `folder` is a scratch folder. */
export async function withOrigin<T>(
  build: Build,
  origin: Origin,
  folder: string,
  work: (root: SourceRoot) => Promise<T>,
): Promise<T> {
  if (origin.kind === 'context') return await work(origin.root);
  const merged = await openMergedRoot(build.workshop.store, origin.layers, folder, false);
  try {
    return await work({ path: path.resolve(merged.path), ignore: undefined, owner: 'kept' });
  } finally {
    await merged.close();
  }
}
