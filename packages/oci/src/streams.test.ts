import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { Meter, Verifier, chain } from './streams.ts';

describe('a chain', () => {
  test('that failed before anybody read it tells the one who does, and nobody else', async () => {
    const meter = new Meter();
    const last = chain(Readable.from(['x']), meter, new Meter());
    last.destroy(new Error('gave up'));
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    await expect(buffer(last)).rejects.toThrow('gave up');
  });

  test('ends all its streams when one fails', async () => {
    const source = Readable.from(
      (async function* () {
        for (;;) {
          await nextTurn();
          yield Buffer.from('endless');
        }
      })(),
    );
    const middle = new Meter();
    const last = chain(source, middle, new Meter());
    const reading = buffer(last);
    middle.destroy(new Error('broke'));
    await expect(reading).rejects.toThrow('broke');
    expect([source.destroyed, last.destroyed]).toEqual([true, true]);
  });

  test('counts and verifies', async () => {
    const meter = new Meter();
    expect(await buffer(chain(Readable.from([Buffer.from('abc')]), meter))).toEqual(Buffer.from('abc'));
    expect([meter.size, meter.digest]).toEqual([3, digestOf('abc')]);
    const wrong = chain(Readable.from([Buffer.from('abc')]), new Verifier(digestOf('abd'), 'it'));
    await expect(buffer(wrong)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });
});
