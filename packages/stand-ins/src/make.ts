import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KeyedLock } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Builder } from '@updraft/builder';
import { importRootFsTar, machineArchitecture } from '@updraft/oci';
import type { Image, ImageStore } from '@updraft/oci';
import { LABELS, findStandIn } from './catalogue.ts';
import { StandInFault } from './fault.ts';
import { makeDebian } from './recipes/debian.ts';
import type { Recipe, StandIns } from './types.ts';

export interface StandInOptions {
  readonly store: ImageStore;
  readonly builder: Builder;
  readonly clock: Clock;
  /** For contexts that are being put together. */
  readonly dir: string;
  /** The bundled tool entry points, `<tool>.mjs`. */
  readonly toolsDir: string;
}

/** Names of stand-ins in the store: no registry is called so, and nothing can be pulled or pushed under it. */
const HOST = 'stand-in.invalid';

export function createStandIns(options: StandInOptions): StandIns {
  const lock = new KeyedLock();
  return {
    find: findStandIn,
    known: () => LABELS,
    make: async ({ recipe }, onLog) => {
      const name = await storeName(recipe, options.toolsDir);
      return lock.use(name, async () => {
        const present = await options.store.get(name);
        if (present) return present;
        const image = await makeNow(options, recipe, onLog);
        await options.store.tag(name, image.digest);
        return image;
      });
    },
  };
}

/** A recipe that changes gets another name, so that an image made by an older version is not taken for it. */
async function storeName(recipe: Recipe, toolsDir: string): Promise<string> {
  if (recipe.kind === 'debian') return `${HOST}/debian:${recipe.suite}`;
  const tool = recipe.tool === undefined ? '' : await readFile(path.join(toolsDir, recipe.tool), 'utf8');
  const text = JSON.stringify([recipe.dockerfile, recipe.files, tool]);
  const version = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return `${HOST}/${recipe.name}-${version}`;
}

const makeNow = (options: StandInOptions, recipe: Recipe, onLog: (line: string) => void): Promise<Image> =>
  recipe.kind === 'debian'
    ? fromArchive(options, recipe.suite, onLog)
    : fromDockerfile(options, recipe, onLog);

async function fromArchive(
  { store, dir }: StandInOptions,
  suite: string,
  onLog: (line: string) => void,
): Promise<Image> {
  await mkdir(dir, { recursive: true });
  const tar = path.join(dir, `${suite}.tar`);
  try {
    await makeDebian(suite, tar, onLog);
    const layer = await importRootFsTar(store, tar);
    const config = {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['bash'],
    };
    return await store.putImage({ architecture: machineArchitecture(), os: 'linux', config }, [layer]);
  } finally {
    await rm(tar, { force: true });
  }
}

async function fromDockerfile(
  { builder, dir, toolsDir, clock }: StandInOptions,
  recipe: Extract<Recipe, { kind: 'dockerfile' }>,
  onLog: (line: string) => void,
): Promise<Image> {
  const context = path.join(dir, recipe.name.replace(/[^a-z0-9]/g, '-'));
  await rm(context, { recursive: true, force: true });
  await mkdir(context, { recursive: true });
  try {
    const buildArgs = (await recipe.prepare?.({ dir: context, toolsDir, onLog })) ?? {};
    for (const [name, content] of Object.entries(recipe.files ?? {}))
      await writeFile(path.join(context, name), content);
    const outcome = await builder.build({
      context: { kind: 'folder', path: context },
      dockerfile: `stand-in ${recipe.name}`,
      dockerfileText: recipe.dockerfile,
      buildArgs,
      cache: true,
      timestampMs: clock.now(),
      onLog,
    });
    if (outcome.kind === 'built') return outcome.image;
    throw new StandInFault(
      'IMAGE_STAND_IN_FAILED',
      `the stand-in ${recipe.name} could not be made: ${outcome.message}`,
      {
        next: 'Check that Debian’s archive and the npm registry can be reached.',
      },
    );
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
