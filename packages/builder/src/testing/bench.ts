import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import type { Image, Layer } from '@updraft/oci';
import { temporaryStore } from '@updraft/oci/testing';
import { openTestPlatform } from '@updraft/pods/testing';
import { createBuilder } from '../builder.ts';
import { openMergedRoot } from '../files/merged-root.ts';
import type { Builder, BuilderOptions, BuildOutcome, BuildRequest } from '../types.ts';
import { listTree } from './list-tree.ts';
import { tinyImage } from './tiny-image.ts';

export const TIME = Date.UTC(2024, 0, 2, 3, 4, 5);

/** Files of a context: text, or what makes them. */
export type Files = Readonly<Record<string, string>>;

/** A builder over a real store and runtime, with the image `tiny` in it. */
export interface Bench {
  readonly builder: Builder;
  readonly options: BuilderOptions;
  readonly base: Image;
  /** A folder with these files; removed with the bench. */
  context(files: Files): Promise<string>;
  build(files: Files, request?: Partial<BuildRequest>): Promise<{ outcome: BuildOutcome; log: string[] }>;
  /** The image of a build that has to succeed. */
  built(files: Files, request?: Partial<BuildRequest>): Promise<Image>;
  /** What the layers above `tiny` hold, a line for each path. */
  added(image: Image): Promise<string[]>;
  files(layers: readonly Layer[], below?: string): Promise<string[]>;
  /** What a build must not leave behind: mounts, pods, scratch folders. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openBench(more: Partial<BuilderOptions> = {}): Promise<Bench> {
  const temporary = await temporaryStore();
  const platform = await openTestPlatform();
  const folder = await mkdtemp(path.join(tmpdir(), 'updraft-bench-'));
  const { store } = temporary;
  const base = await tinyImage(store);
  await store.tag('tiny', base.digest);
  const options: BuilderOptions = {
    store,
    runtime: platform.runtime,
    clock: systemClock,
    logger: silentLogger,
    dir: path.join(folder, 'builder'),
    images: {
      async resolve(reference) {
        const image = await store.get(reference);
        if (!image) throw new Error('no such image here');
        return { image };
      },
    },
    ...more,
  };
  const builder = createBuilder(options);
  let contexts = 0;
  const context = async (files: Files) => {
    contexts += 1;
    const root = path.join(folder, `context-${contexts}`);
    await mkdir(root);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
    return root;
  };
  const build: Bench['build'] = async (files, request = {}) => {
    const log: string[] = [];
    const outcome = await builder.build({
      context: { kind: 'folder', path: await context(files) },
      dockerfile: 'Dockerfile',
      cache: true,
      timestampMs: TIME,
      onLog: (line) => log.push(line),
      ...request,
    });
    return { outcome, log };
  };
  const filesOf: Bench['files'] = async (layers, below = '') => {
    const scratch = await store.scratch('bench');
    const root = await openMergedRoot(store, layers, scratch, false);
    try {
      return await listTree(path.join(root.path, below));
    } finally {
      await root.close();
      await rm(scratch, { recursive: true });
    }
  };
  return {
    builder,
    options,
    base,
    context,
    build,
    files: filesOf,
    async built(files, request) {
      const { outcome, log } = await build(files, request);
      if (outcome.kind === 'failed') throw new Error(`${outcome.message}\n${log.join('\n')}`);
      return outcome.image;
    },
    async added(image) {
      const before = new Set(await filesOf(base.layers));
      return (await filesOf(image.layers)).filter((line) => !before.has(line));
    },
    async leftovers() {
      const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
        .split('\n')
        .filter((line) => line.includes(store.dir));
      const owners = await readdir(path.join(store.dir, 'scratch'));
      const scratch = await Promise.all(
        owners.map((owner) => readdir(path.join(store.dir, 'scratch', owner))),
      );
      return [...mounts, ...scratch.flat(), ...platform.runtime.list().map(({ name }) => name)];
    },
    async close() {
      builder.close();
      await platform.close();
      await temporary.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
