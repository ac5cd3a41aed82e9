import { describe, expect, it } from 'vitest';
import { lintDockerfile } from '../lint.ts';
import { VECTORS } from './vectors.table.ts';

/** Fragments are linted as the original's own tests do it: alone, without a FROM where the rule does not need one. */
function codes(text: string, code: string, settings = {}): number {
  return lintDockerfile(text, {
    ruleSet: 'all',
    overrides: { DL3057: 'info', DL1001: 'info' },
    ...settings,
  }).filter((finding) => finding.code === code).length;
}

describe.each(VECTORS)('$code', ({ code, bad, good, settings }) => {
  it.each(bad)('objects to %j', (text) => expect(codes(text, code, settings)).toBeGreaterThan(0));
  it.each(good)('is quiet about %j', (text) => expect(codes(text, code, settings)).toBe(0));
});
