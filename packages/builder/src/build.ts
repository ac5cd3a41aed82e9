import type { Dockerfile, Stage } from '@updraft/dockerfile';
import type { KeyedLock, Semaphore } from '@updraft/kit';
import type { Image, Layer } from '@updraft/oci';
import type { Draft } from './draft.ts';
import type { Arguments } from './scope.ts';
import type { StepCache } from './step-cache.ts';
import type { BuilderOptions, BuildRequest, NamedContext } from './types.ts';
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
  /** Aborted when the user cancels or another stage fails. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** `[stage 2/7]`: where the build is, for the log. */
  readonly label: string;
  /** The finished stage. */
  stage(stage: Stage): Promise<Draft>;
  /** An image by reference, asked for once in a build. */
  image(reference: string): Promise<Image>;
  readonly counted: { steps: number; cached: number };
}

/** What `--from` may lead to. */
export type Origin =
  | { readonly kind: 'context'; readonly root: SourceRoot }
  | { readonly kind: 'layers'; readonly layers: readonly Layer[] };

export function namedContext(build: Build, name: string): NamedContext | undefined {
  const contexts = build.request.buildContexts ?? {};
  return Object.hasOwn(contexts, name) ? contexts[name] : undefined;
}
