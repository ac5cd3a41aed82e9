import type { Advisory } from './advisory.ts';
import { readOsvRecord } from './osv.ts';
import { builtinNotes, withNotes } from './overlay.ts';

/** Every advisory there is, found by ecosystem and package. */
export interface Advisories {
  /** When the data was made or fetched, in milliseconds. */
  readonly dateMs: number;
  /** `npm`, `PyPI`, `Debian:12`, with the number of advisories. */
  readonly ecosystems: ReadonlyMap<string, number>;
  /** With what the distribution says of them. */
  for(ecosystem: string, packageName: string): readonly Advisory[];
  /** Once nobody asks any more. */
  close(): void;
}

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

/** Several sources as one, as old as the oldest. */
export function combineAdvisories(all: readonly Advisories[]): Advisories {
  return {
    dateMs: Math.min(...all.map(({ dateMs }) => dateMs)),
    ecosystems: new Map(all.flatMap(({ ecosystems }) => [...ecosystems])),
    for: (ecosystem, name) => all.flatMap((one) => one.for(ecosystem, name)),
    close: () => all.forEach((one) => one.close()),
  };
}

/** Python's names are equal in any case and with any of `-_.` between their words. */
export function packageKey(ecosystem: string, name: string): string {
  return `${ecosystem}\n${ecosystem === 'PyPI' ? name.toLowerCase().replaceAll(/[-_.]+/g, '-') : name}`;
}
