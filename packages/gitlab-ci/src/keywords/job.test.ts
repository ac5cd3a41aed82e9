import { expect, it } from 'vitest';
import { INHERITABLE } from './behaviour.ts';
import { DEFAULT_KEYWORDS } from './job.ts';

it('what can be inherited is what default may hold', () => {
  expect(INHERITABLE.toSorted()).toEqual(Object.keys(DEFAULT_KEYWORDS).toSorted());
});
