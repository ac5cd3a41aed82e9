import { expect, test } from 'vitest';
import { formatIndexes, parseIndexes } from './indexes.ts';

test('indexes are written as intervals and read back', () => {
  expect(formatIndexes([5, 2, 0, 1, 7, 8])).toBe('0-2,5,7,8');
  expect(formatIndexes([])).toBe('');
  expect([...parseIndexes('0-2,5,7,8', 8)]).toEqual([0, 1, 2, 5, 7]);
  expect([...parseIndexes('0-999999999999', 3), ...parseIndexes('x', 3)]).toEqual([0, 1, 2]);
});
