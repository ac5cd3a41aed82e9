import type { HistoryEntry, Layer } from '@updraft/oci';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';
import type { Scope } from '../scope.ts';

/**
 * What made each layer, in the form BuildKit gave it: tools that read a Dockerfile back out of an image know that one.
 */
const FORM = 'buildkit.dockerfile.v0';

export function historyEntry(
  build: Build,
  createdBy: string,
  rest: Partial<HistoryEntry> = {},
): HistoryEntry {
  return {
    created: new Date(build.timestampMs).toISOString(),
    created_by: createdBy,
    comment: FORM,
    ...rest,
  };
}

/** An image's configuration is read into memory whole, and registries take no more than a few megabytes. */
const MOST_HISTORY = 4 * 1024 * 1024;

/** @throws BuildFailure when there is more history than an image can hold */
export function addHistory(draft: Draft, entry: HistoryEntry): void {
  draft.history.push(entry);
  draft.historySize += (entry.created_by?.length ?? 0) + 128;
  if (draft.historySize > MOST_HISTORY)
    throw new BuildFailure('the instructions up to here are more than the history of an image can hold');
}

/** Adds what a step made to the draft. `createdBy` is the instruction, expanded. */
export function addLayer(build: Build, draft: Draft, createdBy: string, layer: Layer | undefined): void {
  if (layer) draft.layers.push(layer);
  addHistory(draft, historyEntry(build, createdBy, layer ? {} : { empty_layer: true }));
}

/** `RUN |2 A=a B=b /bin/sh -c …`: the arguments a command could see come before it. */
export function runText(words: readonly string[], scope: Scope): string {
  const args = [...scope.declared].map(([name, value]) => `${name}=${scope.get(name) ?? value ?? ''}`);
  const count = args.length > 0 ? [`|${args.length}`] : [];
  return ['RUN', ...count, ...args, ...words, '# buildkit'].join(' ');
}

/** `["a" "b"]`. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}

export function healthcheckText(check: NonNullable<Draft['config']['Healthcheck']>): string {
  const fields = Object.entries(check).map(([name, value]) =>
    Array.isArray(value) ? `${name}:[${value.join(' ')}]` : `${name}:${String(value)}`,
  );
  return `{${fields.join(' ')}}`;
}
