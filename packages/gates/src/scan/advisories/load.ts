import type { Advisory } from './advisory.ts';

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
