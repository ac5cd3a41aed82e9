import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CopyInstruction, Stage, Word } from '@updraft/dockerfile';
import type { Build, Origin } from '../build.ts';
import type { Draft } from '../draft.ts';
import { at, BuildFailure } from '../failure.ts';
import { parseMode } from '../files/mode.ts';
import { findOwner } from '../files/owner.ts';
import { keyOf } from '../key.ts';
import { readCopyFlags } from './copy-flags.ts';
import type { CopyFlags } from './copy-flags.ts';
import { isRemote, openRemote } from './download.ts';
import type { Download } from './download.ts';
import { addLayer, changeFiles, layerStep } from './layer-step.ts';
import { meansFolder, nameOf, shortened } from './names.ts';
import { digestOf, originDigest, readSources } from './origin-digest.ts';
import type { FoundSource } from './origin-digest.ts';
import { findOrigin, withOrigin } from './origin.ts';
import { placeFile, placeTree } from './place.ts';
import type { Target } from './place.ts';

/** A COPY or ADD whose words have been expanded. */
interface Copy {
  readonly keyword: 'COPY' | 'ADD';
  readonly flags: CopyFlags;
  readonly paths: readonly { readonly pattern: string; readonly word: Word }[];
  readonly bodies: readonly { readonly name: string; readonly content: string }[];
  readonly urls: readonly string[];
  readonly target: string;
  readonly isFolder: boolean;
}

export async function copyStep(
  build: Build,
  stage: Stage,
  draft: Draft,
  instruction: CopyInstruction,
): Promise<void> {
  const copy = readCopy(instruction, draft);
  const title = `${instruction.keyword} ${shortened(instruction.text)}`;
  const origin = await findOrigin(build, stage, copy.flags.from);
  const sources = sourcePatterns(copy);
  // A context can change under us: what the key was made of is also what is copied.
  const fromContext = origin.kind === 'context' ? await readSources(build, origin.root, sources) : undefined;
  if (fromContext) checkFound(copy, fromContext, origin);
  const downloads = await Promise.all(copy.urls.map((url) => openRemote(build, url, copy.flags.checksum)));
  try {
    const content = fromContext ? digestOf(fromContext) : await originDigest(build, origin, sources);
    const layer = await layerStep(build, draft, {
      title,
      parts: [
        copy.keyword,
        content,
        copy.bodies.map(({ name, content: body }) => [name, body]),
        downloads.map(({ name, digest }) => [name, digest]),
        copy.target,
        copy.isFolder,
        keyOf(copy.flags.chown, copy.flags.chmod, copy.flags.parents, copy.flags.unpack),
      ],
      make: (folder) => execute(build, draft, copy, { folder, origin, fromContext, downloads }),
    });
    addLayer(build, draft, title, layer);
  } finally {
    await Promise.all(downloads.map((download) => download.close()));
  }
}

function sourcePatterns(copy: Copy) {
  return {
    patterns: copy.paths.map(({ pattern }) => pattern),
    exclude: copy.flags.exclude,
    folders: copy.flags.parents,
  };
}

function readCopy(instruction: CopyInstruction, draft: Draft): Copy {
  const { scope, config } = draft;
  const flags = readCopyFlags(instruction, scope);
  const written = scope.word(instruction.target);
  if (written === '') throw new BuildFailure('the target is empty', instruction.target.range);
  const isFolder = meansFolder(written);
  if (instruction.sources.length > 1 && !isFolder) {
    throw new BuildFailure('with several sources the target must end with /', instruction.target.range);
  }
  const words = instruction.sources.flatMap(({ kind, word }) =>
    kind === 'path' ? [{ word, text: scope.word(word) }] : [],
  );
  for (const { word, text } of words) {
    if (text === '') throw new BuildFailure(`the source ${word.text} is empty`, word.range);
    if (/^git@|^https?:.*\.git(#|$)/.test(text))
      throw new BuildFailure('Git sources are not supported', word.range);
  }
  const isUrl = ({ text }: { text: string }) => instruction.keyword === 'ADD' && isRemote(text);
  return {
    keyword: instruction.keyword,
    flags,
    paths: words.filter((word) => !isUrl(word)).map(({ word, text }) => ({ pattern: text, word })),
    bodies: instruction.sources.flatMap((source) => {
      if (source.kind === 'path') return [];
      const { name, expand, content } = source.heredoc;
      return [{ name, content: expand ? scope.body(content, source.word) : content }];
    }),
    urls: words.filter(isUrl).map(({ text }) => text),
    target: nameOf(config.WorkingDir, written),
    isFolder,
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
  readonly downloads: readonly Download[];
}

async function execute(build: Build, draft: Draft, copy: Copy, material: Material) {
  return await changeFiles(build, draft, material.folder, async (root) => {
    const { chown, chmod } = copy.flags;
    const target: Target = {
      root: root.path,
      path: copy.target,
      isFolder: copy.isFolder,
      options: {
        owner: chown === undefined ? undefined : await findOwner(root.path, chown),
        mode: chmod === undefined ? undefined : parseMode(chmod),
        timestampMs: material.origin.kind === 'context' ? build.timestampMs : undefined,
      },
    };
    await placeSources(build, copy, material, target);
    for (const { name, content } of copy.bodies) await placeBody(target, name, content);
    for (const download of material.downloads)
      await download.place(target, copy.flags.unpack ?? false, material.folder);
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
  for (const [index, { pattern, trees }] of found.entries()) {
    const range = copy.paths[index]?.word.range;
    if (trees.length > 1 && !target.isFolder && !copy.flags.parents) {
      throw new BuildFailure(
        `${pattern} matches ${trees.length} files, so the target must end with /`,
        range,
      );
    }
    const unpack = copy.keyword === 'ADD' && copy.flags.unpack !== false ? folder : undefined;
    for (const tree of trees) {
      const place = () =>
        placeTree(tree, target, { build, unpack, parents: copy.flags.parents ? pattern : undefined });
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
