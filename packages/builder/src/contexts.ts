import { mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, resolveInRoot, run } from '@updraft/kit';
import type { Undo } from '@updraft/kit';
import { importOciLayout, parseReference, shortReference } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import type { Workshop } from './build.ts';
import { BuildFailure } from './failure.ts';
import { readIgnore } from './files/ignore-file.ts';
import { changed } from './files/open-inside.ts';
import { removeFolder, statusOf } from './files/merged-root.ts';
import type { SourceRoot } from './files/source-tree.ts';
import { parseGitReference } from './git/reference.ts';
import { checkOut, findCommit } from './git/repository.ts';
import type { BuildContext, BuildRequest, NamedContext } from './types.ts';

/** What opening a context may use; `undo` takes away what had to be fetched for it. */
export interface ContextTools {
  readonly workshop: Workshop;
  readonly request: BuildRequest;
  readonly signal: AbortSignal;
  readonly undo: Undo;
}

/**
 * The folder of a context on this machine, without links in it; undefined for an empty one.
 * @throws BuildFailure when it cannot be had
 */
export async function contextFolder(context: BuildContext, tools: ContextTools): Promise<string | undefined> {
  switch (context.kind) {
    case 'empty':
      return undefined;
    case 'folder':
      return await realPath(context.path, tools.request);
    case 'git':
      return await within(await gitFolder(context, tools), context.folder);
    case 'archive':
      return await within(await archiveFolder(context.path, tools), context.folder);
  }
}

/** @throws BuildFailure when there is nothing, or a link where none may be */
export async function realPath(file: string, { confined }: BuildRequest): Promise<string> {
  try {
    const real = await realpath(file);
    if (confined === true && real !== path.resolve(file)) throw changed(file);
    return real;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
    throw new BuildFailure(`${file} does not exist`);
  }
}

async function within(root: string, folder: string | undefined): Promise<string> {
  if (folder === undefined || folder === '') return root;
  const inside = await resolveInRoot(root, folder);
  if ((await statusOf(inside))?.isDirectory() === true) return inside;
  throw new BuildFailure(`the build context has no folder ${folder}`);
}

async function scratchFor(tools: ContextTools): Promise<string> {
  const folder = await tools.workshop.store.scratch('context');
  tools.undo.add(() => removeFolder(folder));
  return folder;
}

async function gitFolder(
  { url, credentials }: Extract<BuildContext, { kind: 'git' }>,
  tools: ContextTools,
): Promise<string> {
  const reference = parseGitReference(url, { bare: true });
  if (!reference) throw new BuildFailure(`the build context ${url} is no Git repository`);
  const gitTools = { signal: tools.signal, sshAgent: tools.request.ssh?.['default'], credentials };
  const commit = await findCommit(reference, gitTools);
  const keepGitDir =
    reference.keepGitDir ?? tools.request.buildArgs?.['BUILDKIT_CONTEXT_KEEP_GIT_DIR'] === '1';
  const folder = await scratchFor(tools);
  return await checkOut(reference, commit, { folder, keepGitDir, tools: gitTools });
}

async function archiveFolder(source: string, tools: ContextTools): Promise<string> {
  const folder = await scratchFor(tools);
  const file = /^https?:\/\//.test(source) ? await download(source, folder, tools) : source;
  if ((await statusOf(file))?.isFile() !== true)
    throw new BuildFailure(`the build context ${source} does not exist`);
  const target = path.join(folder, 'files');
  await mkdir(target);
  const args = ['--extract', '--file', file, '--directory', target, '--no-same-owner'];
  const result = await run('tar', args, { signal: tools.signal });
  if (result.code === 0) return target;
  throw new BuildFailure(`the build context ${source} is no tar archive: ${result.stderr.trim()}`);
}

async function download(url: string, folder: string, { workshop, signal }: ContextTools): Promise<string> {
  const response = await (workshop.fetch ?? fetch)(url, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new BuildFailure(`${url} cannot be downloaded: ${String(error)}`);
  });
  if (!response.ok || !response.body)
    throw new BuildFailure(`${url} cannot be downloaded: status ${response.status}`);
  const file = path.join(folder, 'archive');
  await writeFile(file, response.body, { flag: 'wx' });
  return file;
}

/** Files of a context for COPY. */
export async function contextRoot(
  folder: string | undefined,
  tools: ContextTools,
  dockerfile?: string,
): Promise<SourceRoot> {
  if (folder !== undefined)
    return { path: folder, ignore: await readIgnore(folder, dockerfile), owner: 'root' };
  const empty = path.resolve(tools.workshop.dir, 'empty-context');
  await mkdir(empty, { recursive: true });
  return { path: empty, ignore: undefined, owner: 'root' };
}

/** What a name in FROM or `--from` was replaced with. Names of images are compared without their tag `latest`. */
export function findNamed(request: BuildRequest, name: string): NamedContext | undefined {
  const contexts = request.buildContexts ?? {};
  if (name.toLowerCase() === 'scratch' || name.toLowerCase() === 'context') return undefined;
  const short = shortName(name);
  const found = Object.keys(contexts).find((each) => each === name || shortName(each) === short);
  return found === undefined ? undefined : contexts[found];
}

function shortName(name: string): string {
  try {
    return shortReference(parseReference(name)).replace(/:latest$/, '');
  } catch {
    return name;
  }
}

/** @throws BuildFailure */
export async function layoutImage(
  { workshop }: ContextTools,
  { path: dir, tag }: Extract<NamedContext, { kind: 'layout' }>,
): Promise<Image> {
  try {
    return await importOciLayout(workshop.store, dir, tag);
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) === 'DISK_FULL') throw error;
    throw new BuildFailure(`the OCI layout ${dir} cannot be read: ${error.message}`);
  }
}
