import { describe, expect, it } from 'vitest';
import { environmentSlug, refSlug } from './slug.ts';

describe('slugs', () => {
  it.each([
    ['feature/Foo__bar', 'feature-foo--bar'],
    ['release/1.2.x', 'release-1-2-x'],
    ['---x---', 'x'],
    [`${'a'.repeat(62)}/b`, 'a'.repeat(62)],
  ])('ref %s', (name, slug) => expect(refSlug(name)).toBe(slug));

  it.each([
    ['production', 'production'],
    ['review/feature-1', 'review-feature-1-1q251u'],
    ['Staging', 'staging-p75vhx'],
    ['1-foo', 'env-1-foo-1k46wz'],
    ['a-very-long-environment-name-indeed', 'a-very-long-envir-8xini4'],
    ['review/foo/bar', 'review-foo-bar-mpntvi'],
    ['prod-', 'prod'],
  ])('environment %s', (name, slug) => expect(environmentSlug(name)).toBe(slug));
});
