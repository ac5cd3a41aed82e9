import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Builder } from '@updraft/builder';
import { codeOf, KeyedLock } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Image, ImageStore } from '@updraft/oci';
import { assembleDebian } from './debian.ts';
import { StandInFault } from './fault.ts';
import { KNOWN, matchStandIn } from './match.ts';
import type { StandIn } from './match.ts';
import { fetchNode } from './node-part.ts';
import { SUITES } from './recipe.ts';
import type { Part, Recipe } from './recipe.ts';

export interface StandInOptions {
  readonly store: ImageStore;
  /** Resolves FROM of other stand-ins through the daemon's image source, which comes back here. */
  readonly builder: Builder;
  readonly clock: Clock;
  /** For files while an image is made. */
  readonly dir: string;
  /** Where the bundled entry points of the tools are: `kaniko.mjs`, … */
  readonly toolsDir: string;
}

/** Images made here because the one that was named cannot be pulled. */
export interface StandIns {
  find(reference: string): StandIn | undefined;
  /** Why there is no stand-in for an image that we know; undefined for any other. */
  whyNot(reference: string): string | undefined;
  /** What can be made, as a person writes it. */
  known(): readonly string[];
  /**
   * The image, made the first time and kept under its store name. Calls at the same time share the work.
   * @throws StandInFault, Fault
   */
  make(standIn: StandIn, onLog: (line: string) => void, signal?: AbortSignal): Promise<Image>;
}

const LABEL = 'updraft.recipe';

export function createStandIns(options: StandInOptions): StandIns {
  const locks = new KeyedLock();
  return {
    find(reference) {
      const found = matchStandIn(reference);
      return found && !('refused' in found) ? found : undefined;
    },
    whyNot(reference) {
      const found = matchStandIn(reference);
      return found && 'refused' in found ? found.refused : undefined;
    },
    known: () => KNOWN,
    make: (standIn, onLog, signal) =>
      locks.use(standIn.storeName, () => make(options, standIn, onLog, signal)),
  };
}

async function make(
  options: StandInOptions,
  standIn: StandIn,
  onLog: (line: string) => void,
  signal?: AbortSignal,
): Promise<Image> {
  const { store, dir } = options;
  const recipe = recipeDigest(standIn.recipe);
  const known = await store.get(standIn.storeName);
  if (known && (standIn.recipe.kind === 'debian' || known.config.config?.Labels?.[LABEL] === recipe)) {
    if (!standIn.recipe || !hasTool(standIn.recipe)) return known;
  }
  await mkdir(dir, { recursive: true });
  const folder = await mkdtemp(path.join(dir, 'making-'));
  try {
    const image =
      standIn.recipe.kind === 'debian'
        ? await assembleDebian(standIn.recipe.suite, { store, folder, onLog })
        : await build(options, standIn, standIn.recipe, { folder, onLog, recipe, signal });
    await store.tag(standIn.storeName, image.digest);
    return image;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A recipe that changes with the program is made again; a tool's entry point is part of this program. */
function recipeDigest(recipe: Recipe): string {
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
}

/** Building it again costs nothing when its entry point is the same: every step is in the builder's cache. */
function hasTool(recipe: Recipe): boolean {
  return recipe.kind === 'dockerfile' && recipe.parts.some(({ kind }) => kind === 'tool');
}

interface Making {
  readonly folder: string;
  readonly onLog: (line: string) => void;
  readonly recipe: string;
  readonly signal: AbortSignal | undefined;
}

async function build(
  options: StandInOptions,
  standIn: StandIn,
  recipe: Extract<Recipe, { kind: 'dockerfile' }>,
  { folder, onLog, recipe: digest, signal }: Making,
): Promise<Image> {
  for (const part of recipe.parts) await fetchPart(options, part, folder, onLog);
  for (const [name, { text, mode }] of Object.entries(recipe.files)) {
    await writeFile(path.join(folder, name), text, { mode });
  }
  const outcome = await options.builder.build({
    context: { kind: 'folder', path: folder },
    dockerfile: standIn.storeName,
    dockerfileText: recipe.dockerfile,
    labels: { 'updraft.stand-in': standIn.storeName, [LABEL]: digest },
    cache: true,
    timestampMs: SUITES.bookworm.releasedMs,
    onLog,
    ...(signal ? { signal } : {}),
  });
  if (outcome.kind === 'built') return outcome.image;
  throw new StandInFault(
    'STAND_IN_FAILED',
    `the stand-in ${standIn.storeName} could not be made: ${outcome.message}`,
    {
      next: 'Check that the Debian archive and the npm registry can be reached, and run again.',
    },
  );
}

async function fetchPart(
  { toolsDir }: StandInOptions,
  part: Part,
  folder: string,
  onLog: (line: string) => void,
): Promise<void> {
  if (part.kind === 'node') return await fetchNode(part.range, folder, onLog);
  const entry = path.join(toolsDir, `${part.tool}.mjs`);
  try {
    await copyFile(entry, path.join(folder, 'tool.mjs'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new StandInFault('TOOL_ENTRY_MISSING', `the entry point ${entry} is not there`, {
      cause: error,
      next: 'Make it with `node tools/bundle.mjs`.',
    });
  }
}
