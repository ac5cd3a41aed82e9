import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressPool } from './address-pool.ts';
import {
  addressToNumber,
  cidrSize,
  formatCidr,
  numberToAddress,
  overlaps,
  parseCidr,
  pickRanges,
} from './cidr.ts';
import type { Cidr } from './cidr.ts';

const cidr = (text: string): Cidr => {
  const range = parseCidr(text);
  if (!range) throw new Error(text);
  return range;
};

describe('ranges of addresses', () => {
  it.each([
    ['10.1.2.3/20', '10.1.0.0/20'],
    ['192.0.2.2', '192.0.2.2/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
  ])('reads %s as %s', (text, plain) => expect(formatCidr(cidr(text))).toBe(plain));

  it.each(['default', '', 'fd00::/8', '10.1/16'])('does not read %j', (text) =>
    expect(parseCidr(text)).toBeUndefined(),
  );

  it('turns addresses into numbers and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (number) => {
        expect(addressToNumber(numberToAddress(number))).toBe(number);
      }),
    );
  });

  it('picks neighbours that touch nothing busy, and the same ones again', () => {
    const busy = [cidr('10.128.0.0/11'), cidr('10.200.0.0/16'), cidr('10.255.255.53')];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), (number) => {
        const id = number.toString(16).padStart(6, '0');
        const [pods, services] = pickRanges(id, busy) ?? [];
        if (!pods || !services) throw new Error('nothing found');
        expect(pickRanges(id, busy)).toEqual([pods, services]);
        expect(services.base).toBe(pods.base + cidrSize(pods));
        for (const range of [pods, services]) {
          expect(range.prefix).toBe(20);
          expect(busy.some((other) => overlaps(range, other))).toBe(false);
          expect(overlaps(range, cidr('10.128.0.0/9'))).toBe(true);
        }
      }),
    );
  });

  it('finds none when everything is busy', () => {
    expect(pickRanges('abcdef', [cidr('10.0.0.0/8')])).toBeUndefined();
  });
});

describe('addresses of pods', () => {
  it('are given in order and used again as late as possible', () => {
    const pool = new AddressPool(cidr('10.0.0.0/29'), 2);
    const taken = [pool.take(), pool.take()];
    expect(taken).toEqual(['10.0.0.2', '10.0.0.3']);
    pool.free('10.0.0.2');
    expect([pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([
      '10.0.0.4',
      '10.0.0.5',
      '10.0.0.6',
      '10.0.0.2',
    ]);
    expect(() => pool.take()).toThrow(expect.objectContaining({ code: 'NO_FREE_ADDRESS' }));
  });
});
