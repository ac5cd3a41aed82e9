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
  alpine: {
    '3.17': '2024-11-22',
    '3.18': '2025-05-09',
    '3.19': '2025-11-01',
    '3.20': '2026-04-01',
    '3.21': '2026-11-01',
    '3.22': '2027-05-01',
  },
  ubuntu: { '18.04': '2023-05-31', '20.04': '2025-05-31', '22.04': '2027-04-01', '24.04': '2029-04-01' },
};

/** undefined when the release is not in the table. */
export function eolDateMs({ family, version }: OperatingSystem): number | undefined {
  const release = version
    .split('.')
    .slice(0, family === 'debian' ? 1 : 2)
    .join('.');
  const releases = Object.hasOwn(END_OF_LIFE, family) ? END_OF_LIFE[family] : undefined;
  const date = releases?.[release ?? ''];
  return date === undefined ? undefined : Date.parse(`${date}T23:59:59Z`);
}
