/** An IPv4 range: `10.1.16.0/20` as numbers. */
export interface Cidr {
  readonly base: number;
  readonly prefix: number;
}

export function addressToNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

export function numberToAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** Reads `a.b.c.d` or `a.b.c.d/n`; undefined for anything else, such as `default`. */
export function parseCidr(text: string): Cidr | undefined {
  const found = /^(\d{1,3}(?:\.\d{1,3}){3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!found?.[1]) return undefined;
  const prefix = Number(found[2] ?? 32);
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(addressToNumber(found[1]) / size) * size, prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${numberToAddress(cidr.base)}/${cidr.prefix}`;
}

export function cidrSize(cidr: Cidr): number {
  return 2 ** (32 - cidr.prefix);
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.base < b.base + cidrSize(b) && b.base < a.base + cidrSize(a);
}

const PREFIX = 20;
const FIRST = addressToNumber('10.128.0.0');
/** Pairs of /20 ranges in 10.128.0.0/9, the half of 10/8 that home networks, VPNs and cluster defaults use least. */
const PAIRS = 1024;

/**
 * Two neighbouring free /20 ranges, for pods and for services. Where the search starts follows from `id`: the same
 * platform gets the same ranges as long as they are free, and two platforms that start at once hardly meet.
 */
export function pickRanges(id: string, busy: readonly Cidr[]): readonly [Cidr, Cidr] | undefined {
  const start = Number.parseInt(id, 16) % PAIRS || 0;
  for (let step = 0; step < PAIRS; step += 1) {
    const base = FIRST + ((start + step) % PAIRS) * 2 ** (33 - PREFIX);
    const pair: Cidr = { base, prefix: PREFIX - 1 };
    if (busy.some((range) => overlaps(range, pair))) continue;
    return [
      { base, prefix: PREFIX },
      { base: base + 2 ** (32 - PREFIX), prefix: PREFIX },
    ];
  }
  return undefined;
}
