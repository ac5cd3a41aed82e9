import { isIPv4 } from 'node:net';
import { PodsFault } from '../fault.ts';

/** What is written into rules comes from users' manifests: only addresses, ranges and ports (see requirePort) get through. */
export function requireAddress(address: string): string {
  if (isIPv4(address)) return address;
  throw new PodsFault('UNSUPPORTED', `${JSON.stringify(address)} is no IPv4 address`);
}

/** @throws PodsFault UNSUPPORTED */
export function requireRange(range: string): string {
  const found = /^([\d.]+)\/(\d{1,2})$/.exec(range);
  if (found?.[1] && isIPv4(found[1]) && Number(found[2]) <= 32) return range;
  throw new PodsFault('UNSUPPORTED', `${JSON.stringify(range)} is no IPv4 range`);
}
