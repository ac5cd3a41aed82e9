import type { Advisory } from '../advisories/advisory.ts';
import { packageKey } from '../advisories/load.ts';
import type { Advisories } from '../advisories/load.ts';
import { readOsvRecord } from '../advisories/osv.ts';
import { builtinNotes, withNotes } from '../advisories/overlay.ts';

/** Advisories that are already in memory. */
export function advisoriesFrom(records: readonly unknown[], dateMs: number): Advisories {
  const ecosystems = new Map<string, number>();
  const byPackage = new Map<string, Advisory[]>();
  for (const advisory of records.flatMap(readOsvRecord)) {
    const key = packageKey(advisory.ecosystem, advisory.packageName);
    const known = byPackage.get(key);
    if (known === undefined) byPackage.set(key, [advisory]);
    else known.push(advisory);
    ecosystems.set(advisory.ecosystem, (ecosystems.get(advisory.ecosystem) ?? 0) + 1);
  }
  return {
    dateMs,
    ecosystems,
    for: (ecosystem, name) =>
      (byPackage.get(packageKey(ecosystem, name)) ?? []).map((advisory) =>
        withNotes(advisory, builtinNotes(ecosystem, name)),
      ),
    close: () => undefined,
  };
}
