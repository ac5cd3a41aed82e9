import { describe, expect, it } from 'vitest';
import { explainRule } from '../explain.ts';
import { lintDockerfile } from '../lint.ts';
import { RULES } from './all.ts';
import { PAGES } from './pages.table.ts';

function codes(text: string, settings: object): readonly string[] {
  const overrides = Object.fromEntries(RULES.map(({ code }) => [code, 'warning' as const]));
  return lintDockerfile(text, { overrides, ...settings }).map(({ code }) => code);
}

it('has a page for every rule, and none too many', () => {
  expect(Object.keys(PAGES).toSorted()).toEqual(RULES.map(({ code }) => code));
});

describe.each(RULES)('the page of $code', ({ code, page }) => {
  it('shows what the rule objects to', () => expect(codes(page.bad, page.settings ?? {})).toContain(code));
  it('shows what it does not', () => expect(codes(page.good, page.settings ?? {})).not.toContain(code));
  it('is text that parses', () =>
    expect([...codes(page.bad, {}), ...codes(page.good, {})]).not.toContain('DL1000'));
  it('can be asked for', () => expect(explainRule(code.toLowerCase())).toContain(page.why));
});

describe('rules that are off', () => {
  const text = 'FROM debian:12\nUSER app\nENV DB_PASSWORD=x\n';
  const found = (settings: object) => lintDockerfile(text, settings).map(({ code }) => code);

  it('are off in compatible mode', () => expect(found({})).toEqual([]));
  it('come on by their set', () => {
    expect(found({ ruleSet: 'newest' })).toEqual(['DL3066', 'DL3064']);
    expect(found({ ruleSet: 'all' })).toEqual(['UP1004', 'DL3066', 'DL3064', 'UP1001']);
  });
  it('come on one by one', () => expect(found({ overrides: { UP1001: 'info' } })).toEqual(['UP1001']));
  it('are ignored by comments as others are', () => {
    const ignored = text.replace('ENV', '# hadolint ignore=UP1001,DL3064\nENV');
    expect(lintDockerfile(ignored, { ruleSet: 'all' }).map(({ code }) => code)).toEqual(['UP1004', 'DL3066']);
  });
  it('go off one by one', () =>
    expect(found({ ruleSet: 'newest', overrides: { DL3066: 'ignore' } })).toEqual(['DL3064']));
});

it('says where ShellCheck’s pages are, and nothing about rules that are none', () => {
  expect(explainRule('SC2086')).toContain('SC2086');
  expect(explainRule('DL1000')).toContain('does not parse');
  expect(explainRule('DL9999')).toBeUndefined();
});
