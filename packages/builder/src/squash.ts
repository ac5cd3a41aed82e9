import { squashLayers } from '@updraft/oci';
import type { HistoryEntry } from '@updraft/oci';
import type { Build } from './build.ts';
import type { Draft } from './draft.ts';

/** Makes one layer of those above the base. The history still tells every instruction; the layer is the last entry's. */
export async function squash({ workshop, timestampMs }: Build, draft: Draft): Promise<void> {
  const { layers, history, base } = draft;
  const own = layers.slice(base.layers);
  const above = layers.slice(0, base.layers);
  const squashed = await squashLayers(workshop.store, own, { timestampMs, above });
  if (own.length < 2 || squashed === undefined) return;
  layers.splice(base.layers, own.length, squashed);
  const told = history.slice(base.history).map((entry): HistoryEntry => ({ ...entry, empty_layer: true }));
  const created = new Date(timestampMs).toISOString();
  const last = { created, created_by: `one layer of ${own.length}`, comment: 'single snapshot' };
  history.splice(base.history, told.length, ...told, last);
}
