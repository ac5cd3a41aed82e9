import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { SummaryCache } from './inventory.ts';
import type { LayerSummary } from './layer-summary.ts';

/** Keeps layers' summaries as files in a folder that nobody else writes to. A file that is broken counts as absent. */
export function fileSummaryCache(folder: string): SummaryCache {
  const fileOf = (diffId: string) => path.join(folder, `${diffId.replaceAll(/[^0-9a-z]/g, '-')}.json`);
  return {
    get: async (diffId) => parse(await readTextIfPresent(fileOf(diffId))),
    set: (diffId, summary) => writeFileAtomic(fileOf(diffId), JSON.stringify(summary)),
  };
}

function parse(text: string | undefined): LayerSummary | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as LayerSummary);
  } catch {
    return undefined;
  }
}
