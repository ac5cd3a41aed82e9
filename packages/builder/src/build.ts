import type { Dockerfile, Stage } from '@updraft/dockerfile';
import type { KeyedLock, Semaphore } from '@updraft/kit';
import type { Image, Layer } from '@updraft/oci';
import type { Draft } from './draft.ts';
import type { Arguments } from './scope.ts';
import type { StepCache } from './step-cache.ts';
import type { Base, BuildContext, BuilderOptions, BuildRequest, NamedContext } from './types.ts';
import type { SourceRoot } from './files/source-tree.ts';

/** What all builds of one builder share. */
export interface Workshop extends BuilderOptions {
  readonly cache: StepCache;
  /** Equal steps wait for each other, so that they are done once. */
  readonly steps: KeyedLock;
  /** How much works at once. */
  readonly places: Semaphore;
  /** Cache mounts that are used by one command at a time. */
  readonly cacheMounts: KeyedLock;
  /** Private cache mounts that a command is using. */
  readonly privateCaches: Set<string>;
}

/** One build, seen by its stages and steps. */
export interface Build {
  readonly workshop: Workshop;
  readonly request: BuildRequest;
  readonly file: Dockerfile;
  readonly args: Arguments;
  readonly platform: string;
  readonly timestampMs: number;
  /** The context's files, filtered by its ignore file. */
  readonly context: SourceRoot;
  /** Aborted when the user cancels, the time is over or another stage fails. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Into the log, as a warning. */
  readonly warn: (message: string) => void;
  /** `[stage 2/7]`: where the build is, for the log. */
  readonly label: string;
  /** The finished stage. */
  stage(stage: Stage): Promise<Draft>;
  /** An image by reference, asked for once in a build. */
  image(reference: string, platform?: string): Promise<Image>;
  /** All that were asked for so far. */
  bases(): Promise<readonly Base[]>;
  /** What the user put in place of a name. */
  named(name: string): NamedContext | undefined;
  /** The files of such a context, fetched once in a build. */
  namedRoot(context: BuildContext): Promise<SourceRoot>;
  /** The image of such a context; undefined: nothing (`scratch`). */
  namedImage(context: ImageContext): Promise<Image | undefined>;
  readonly counted: { steps: number; cached: number };
}

export type ImageContext = Extract<NamedContext, { kind: 'image' | 'layout' }>;

export function isImageContext(context: NamedContext): context is ImageContext {
  return context.kind === 'image' || context.kind === 'layout';
}

/** What `--from` may lead to. */
export type Origin =
  | { readonly kind: 'context'; readonly root: SourceRoot }
  | { readonly kind: 'layers'; readonly layers: readonly Layer[] };
