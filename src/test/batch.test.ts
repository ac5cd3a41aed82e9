import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Batch } from '../lib/store/postgres/batch.ts';

/** Long enough for a batch that can go. */
async function turn(): Promise<void> {
  await immediate();
  await immediate();
}

/** Statements that answer when they are told to. */
function statements(options: { lanes?: number; maxWeight?: number; endsWaiting?: boolean } = {}) {
  const sent: { items: readonly string[]; answer: () => void; fail: () => void }[] = [];
  const batch = new Batch<string, string>({
    run: (items) =>
      new Promise((resolve, reject) => {
        const answer = () => resolve(items.map((item) => item.toUpperCase()));
        sent.push({ items, answer, fail: () => reject(new Error('lost')) });
      }),
    lanes: options.lanes ?? 1,
    maxWeight: options.maxWeight ?? 100,
    weightOf: (item) => item.length,
    endsWaiting: () => options.endsWaiting ?? false,
  });
  return { batch, sent, items: () => sent.map(({ items }) => items) };
}

describe('Batch', () => {
  it('sends what comes together as one, and gives each its own result', async () => {
    const { batch, sent, items } = statements();
    const results = Promise.all(['a', 'b', 'a'].map((item) => batch.add(item)));
    await turn();
    expect(items()).toEqual([['a', 'b', 'a']]);
    sent[0]?.answer();
    expect(await results).toEqual(['A', 'B', 'A']);
  });

  it('never adds a call to a statement that is on its way', async () => {
    const { batch, sent, items } = statements();
    const first = batch.add('a');
    await turn();
    const later = [batch.add('b'), batch.add('c')];
    await turn();
    expect(items()).toEqual([['a']]);
    sent[0]?.answer();
    await first;
    await turn();
    expect(items()).toEqual([['a'], ['b', 'c']]);
    sent[1]?.answer();
    expect(await Promise.all(later)).toEqual(['B', 'C']);
  });

  it('has as many statements on their way as there are lanes', async () => {
    const { batch, items } = statements({ lanes: 2 });
    for (const item of ['a', 'b', 'c']) {
      void batch.add(item);
      await turn();
    }
    expect(items()).toEqual([['a'], ['b']]);
  });

  it('keeps statements short, but lets none out for its length', async () => {
    const { batch, items } = statements({ lanes: 9, maxWeight: 3 });
    for (const item of ['a', 'bb', 'c', 'long one', 'd']) void batch.add(item);
    await turn();
    expect(items()).toEqual([['a', 'bb'], ['c'], ['long one'], ['d']]);
  });

  it.each([
    [false, [['a'], ['b']]],
    [true, [['a']]],
  ])('fails for all of a statement; for those who wait too when that is said: %s', async (ends, expected) => {
    const { batch, sent, items } = statements({ endsWaiting: ends });
    const outcome = (item: string) => batch.add(item).catch((error: unknown) => String(error));
    const first = outcome('a');
    await turn();
    const second = outcome('b');
    sent[0]?.fail();
    expect(await first).toBe('Error: lost');
    await turn();
    sent[1]?.answer();
    expect(await second).toBe(ends ? 'Error: lost' : 'B');
    expect(items()).toEqual(expected);
  });
});
