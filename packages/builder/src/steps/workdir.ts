import { resolveInRoot } from '@updraft/kit';
import type { TextInstruction } from '@updraft/dockerfile';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { makeFolders } from '../files/copy-tree.ts';
import { findOwner } from '../files/owner.ts';
import { addLayer } from './history.ts';
import { changeFiles, layerStep } from './layer-step.ts';
import { nameOf } from './names.ts';

/** WORKDIR makes the folder, for the user that is set, when the image has none. */
export async function workdirStep(build: Build, draft: Draft, instruction: TextInstruction): Promise<void> {
  const written = draft.scope.word(instruction.value);
  const folder = nameOf(draft.config.WorkingDir, written);
  const { User: user } = draft.config;
  // An absolute name stays as it was written.
  const workingDir = written.startsWith('/') ? written : folder;
  const title = `WORKDIR ${workingDir}`;
  const layer = await layerStep(build, draft, {
    title,
    parts: ['WORKDIR', folder, user],
    make: (scratch) =>
      changeFiles(build, draft.layers, scratch, async (root) => {
        const owner = user ? await findOwner(root.path, user, build.warn) : undefined;
        const options = { owner, mode: undefined, timestampMs: build.timestampMs };
        await makeFolders(root.path, await resolveInRoot(root.path, folder), options);
      }),
  });
  draft.config.WorkingDir = workingDir;
  addLayer(build, draft, title, layer);
}
