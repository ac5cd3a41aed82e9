import { expect, test } from 'vitest';
import { parseQuantity } from './quantity.ts';

test.each([
  ['1', 1],
  ['500m', 0.5],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['24676372Ki', 24_676_372 * 1024],
  ['2k', 2000],
  ['1e3', 1000],
  ['2K', undefined],
  ['1 Gi', undefined],
  ['Mi', undefined],
])('%s is %s', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});
