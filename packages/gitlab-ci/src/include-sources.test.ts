import { describe, expect, it } from 'vitest';
import { createPipeline } from './index.ts';
import { FACTS } from './testing/commit.ts';

function problemsOf(texts: Readonly<Record<string, string>>): readonly string[] {
  const files = { read: (file: string) => texts[file], list: () => Object.keys(texts) };
  return createPipeline({ facts: FACTS, files }).problems.map(({ message, file }) => `${file}: ${message}`);
}

const including = (path: string) => `include: ${path}\njob: { script: echo }\n`;

describe('an included file of the commit', () => {
  it('is named from the root, with or without a slash, never by a dot', () => {
    const more = { 'ci/a.yml': 'a: { script: echo }' };
    expect(problemsOf({ '.gitlab-ci.yml': including('ci/a.yml'), ...more })).toEqual([]);
    expect(problemsOf({ '.gitlab-ci.yml': including('/ci/a.yml'), ...more })).toEqual([]);
    expect(problemsOf({ '.gitlab-ci.yml': including('./ci/a.yml'), ...more })).toEqual([
      '.gitlab-ci.yml: .gitlab-ci.yml: the included file ./ci/a.yml is not in this commit',
    ]);
  });

  it('has something in it', () => {
    for (const text of ['', '# nothing\n', 'spec: { inputs: {} }\n---\n']) {
      expect(problemsOf({ '.gitlab-ci.yml': including('a.yml'), 'a.yml': text })).toEqual([
        'a.yml: a.yml is empty',
      ]);
    }
  });
});
