import { expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

it.each([
  ['1h 30m', 5400],
  ['1h30m', 5400],
  ['3 hours 30 minutes', 12_600],
  ['2 weeks and 3 days', 1_468_800],
  ['1 day, 2 hours', 93_600],
  ['90', 90],
  ['1:30:00', 5400],
  ['6 mos 1 day', 15_638_400],
  ['1.5h', 5400],
  ['soon', undefined],
  ['', undefined],
  ['1h 30x', undefined],
  ['-1h', undefined],
])('%s', (text, seconds) => expect(parseDuration(text)).toBe(seconds));
