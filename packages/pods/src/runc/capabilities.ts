import type { SecurityContext } from '../types.ts';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from './capabilities.table.ts';

/** Names without `CAP_` of what a mask of /proc/self/status allows. */
export function capabilitiesOfMask(mask: bigint): Set<string> {
  return new Set(ALL_CAPABILITIES.filter((_name, bit) => (mask >> BigInt(bit)) & 1n));
}

/** The bounding set in the text of /proc/self/status. */
export function boundingSet(status: string): Set<string> {
  return capabilitiesOfMask(BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`));
}

/**
 * Default set, plus what is added, minus what is dropped. What this process does not have itself cannot be given:
 * it is left out, as is a name that does not exist.
 */
export function effectiveCapabilities(
  security: Pick<SecurityContext, 'addCapabilities' | 'dropCapabilities'>,
  available: ReadonlySet<string>,
): string[] {
  const added = plainNames(security.addCapabilities);
  const dropped = plainNames(security.dropCapabilities);
  const base: Iterable<string> = dropped.has('ALL') ? [] : DEFAULT_CAPABILITIES;
  const wanted = new Set<string>(added.has('ALL') ? ALL_CAPABILITIES : [...base, ...added]);
  for (const name of dropped) wanted.delete(name);
  return [...wanted].filter((name) => available.has(name)).toSorted();
}

function plainNames(names: readonly string[] = []): Set<string> {
  return new Set(names.map((name) => name.toUpperCase().replace(/^CAP_/, '')));
}
