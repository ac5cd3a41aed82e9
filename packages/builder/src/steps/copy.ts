import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CopyInstruction, Stage } from '@updraft/dockerfile';
import type { Build, Origin } from '../build.ts';
import type { Draft } from '../draft.ts';
import { at, BuildFailure } from '../failure.ts';
import { parseMode } from '../files/mode.ts';
import { findOwner } from '../files/owner.ts';
import { readCopy } from './copy-words.ts';
import type { Copy } from './copy-words.ts';
import { addLayer } from './history.ts';
import { changeFiles, layerStep } from './layer-step.ts';
import { shortened } from './names.ts';
import { digestOf, originDigest, readSources } from './origin-digest.ts';
import type { FoundSource } from './origin-digest.ts';
import { findOrigin, withOrigin } from './origin.ts';
import { placeFile, placeTree } from './place.ts';
import type { Target } from './place.ts';
import { openRemote } from './remote.ts';
import type { Remote } from './remote.ts';

export async function copyStep(
  build: Build,
  stage: Stage,
  draft: Draft,
  instruction: CopyInstruction,
): Promise<void> {
  const copy = readCopy(instruction, draft);
  const { flags } = copy;
  const origin = await findOrigin(build, stage, flags.from);
  const sources = sourcePatterns(copy);
  // A context can change under us: what the key was made of is also what is copied.
  const fromContext = origin.kind === 'context' ? await readSources(build, origin.root, sources) : undefined;
  if (fromContext) checkFound(copy, fromContext, origin);
  const remotes = await Promise.all(copy.remotes.map((source) => openRemote(build, source, flags)));
  try {
    const content = fromContext ? digestOf(fromContext) : await originDigest(build, origin, sources);
    const below = flags.link ? [] : draft.layers;
    const layer = await layerStep(build, draft, {
      title: `${instruction.keyword} ${shortened(instruction.text)}`,
      below,
      parts: [
        copy.keyword,
        content,
        copy.bodies.map(({ name, content: body }) => [name, body]),
        remotes.map(({ digest }) => digest),
        [copy.target, copy.isFolder],
        [flags.chown, flags.chmod, flags.parents, flags.unpack],
      ],
      make: (folder) => execute(build, below, copy, { folder, origin, fromContext, remotes }),
    });
    addLayer(build, draft, copy.text, layer);
  } finally {
    await Promise.all(remotes.map((remote) => remote.close()));
  }
}

function sourcePatterns(copy: Copy) {
  return {
    patterns: copy.paths.map(({ pattern }) => pattern),
    exclude: copy.flags.exclude,
    parents: copy.flags.parents,
  };
}

/** A plain name has to be there; a pattern may match nothing. */
function checkFound(copy: Copy, found: readonly FoundSource[], origin: Origin): void {
  for (const [index, { pattern, trees }] of found.entries()) {
    if (trees.length > 0 || /[*?[]/.test(pattern)) continue;
    const where =
      origin.kind === 'layers'
        ? `in ${copy.flags.from ?? ''}`
        : 'in the build context, or .dockerignore leaves it out';
    throw new BuildFailure(`${pattern} is not ${where}`, copy.paths[index]?.word.range);
  }
}

interface Material {
  readonly folder: string;
  readonly origin: Origin;
  readonly fromContext: readonly FoundSource[] | undefined;
  readonly remotes: readonly Remote[];
}

async function execute(build: Build, below: Draft['layers'], copy: Copy, material: Material) {
  return await changeFiles(build, below, material.folder, async (root) => {
    const { chown, chmod } = copy.flags;
    const target: Target = {
      root: root.path,
      path: copy.target,
      isFolder: copy.isFolder,
      options: {
        owner: chown === undefined ? undefined : await findOwner(root.path, chown, build.warn),
        mode: chmod === undefined ? undefined : parseMode(chmod),
        // A number is also meant for the folders on the way; what is relative has nothing to start from there.
        ...(/^[0-7]+$/.test(chmod ?? '') ? { folderMode: Number.parseInt(chmod ?? '', 8) & 0o777 } : {}),
        timestampMs: material.origin.kind === 'context' ? build.timestampMs : undefined,
      },
    };
    await placeSources(build, copy, material, target);
    for (const remote of material.remotes) await remote.place(target);
    for (const { name, content } of copy.bodies) await placeBody(target, name, content);
  });
}

async function placeSources(build: Build, copy: Copy, material: Material, target: Target): Promise<void> {
  const { folder, origin, fromContext } = material;
  if (copy.paths.length === 0) return;
  if (fromContext) return await placeFound(build, copy, fromContext, { target, folder });
  const opened = path.join(folder, 'origin');
  await mkdir(opened);
  await withOrigin(build, origin, opened, async (root) => {
    const found = await readSources(build, root, sourcePatterns(copy));
    checkFound(copy, found, origin);
    await placeFound(build, copy, found, { target, folder });
  });
}

async function placeFound(
  build: Build,
  copy: Copy,
  found: readonly FoundSource[],
  { target, folder }: { target: Target; folder: string },
): Promise<void> {
  const unpacks = copy.flags.unpack ?? copy.keyword === 'ADD';
  for (const [index, { trees }] of found.entries()) {
    const range = copy.paths[index]?.word.range;
    for (const tree of trees) {
      const place = () => placeTree(tree, target, { build, unpack: unpacks ? folder : undefined });
      await (range ? at(range, place) : place());
    }
  }
}

async function placeBody(target: Target, name: string, content: string): Promise<void> {
  await placeFile(target, path.basename(name), async (file) => {
    await writeFile(file, content, { flag: 'wx', mode: 0o644 });
    return 0o644;
  });
}
