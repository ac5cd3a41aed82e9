import type { OperatingSystem } from './inventory-types.ts';

/** The day after which a release gets no more security fixes from its distribution (Debian: long-term support's end). */
const END_OF_LIFE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  debian: {
    '9': '2022-06-30',
    '10': '2024-06-30',
    '11': '2026-08-14',
    '12': '2028-06-10',
    '13': '2030-06-30',
  },
  ubuntu: { '18.04': '2023-05-31', '20.04': '2025-05-31', '22.04': '2027-04-01', '24.04': '2029-04-01' },
};

/** undefined when the release is not in the table. */
export function eolDateMs({ family, version }: OperatingSystem): number | undefined {
  const release = family === 'debian' ? version.split('.')[0] : version;
  const releases = Object.hasOwn(END_OF_LIFE, family) ? END_OF_LIFE[family] : undefined;
  const date = releases?.[release ?? ''];
  return date === undefined ? undefined : Date.parse(`${date}T23:59:59Z`);
}
