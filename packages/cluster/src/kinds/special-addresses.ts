import { BlockList, isIP } from 'node:net';

const LISTS: readonly (readonly [string, readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]])[] = [
  [
    'may not be unspecified (0.0.0.0 or ::)',
    [
      ['0.0.0.0', 32, 'ipv4'],
      ['::', 128, 'ipv6'],
    ],
  ],
  [
    'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    [
      ['127.0.0.0', 8, 'ipv4'],
      ['::1', 128, 'ipv6'],
    ],
  ],
  [
    'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    [
      ['169.254.0.0', 16, 'ipv4'],
      ['fe80::', 10, 'ipv6'],
    ],
  ],
  [
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    [
      ['224.0.0.0', 24, 'ipv4'],
      ['ff02::', 10, 'ipv6'],
    ],
  ],
];

const RANGES = LISTS.map(([why, ranges]) => {
  const list = new BlockList();
  for (const [address, bits, family] of ranges) list.addSubnet(address, bits, family);
  return { why, list };
});

/**
 * Why nobody may be sent to an address that a user has written: it is none, or whoever connects would end up at
 * himself or at his own link, which for the ingress is the machine. undefined: it may be used.
 */
export function whyUnroutable(address: string): string | undefined {
  const family = isIP(address);
  if (family === 0) return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
  return RANGES.find(({ list }) => list.check(address, family === 6 ? 'ipv6' : 'ipv4'))?.why;
}
