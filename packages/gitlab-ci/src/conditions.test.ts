import { describe, expect, it } from 'vitest';
import { createPipeline } from './index.ts';
import { FACTS } from './testing/commit.ts';

function jobsOf(rule: string, changedPaths: readonly string[] = []): readonly string[] {
  const text = `
always: { script: echo }
asked: { script: echo, rules: [${rule}] }
`;
  const files = { read: () => text, list: () => ['.gitlab-ci.yml', 'src/a.c'] };
  const { pipeline } = createPipeline({ facts: { ...FACTS, changedPaths }, files });
  return (pipeline?.jobs ?? []).map(({ name }) => name);
}

describe('patterns of rules', () => {
  it('with an unknown variable match nothing, wherever it stands', () => {
    expect(jobsOf('{ exists: ["src/a.c"] }')).toContain('asked');
    expect(jobsOf('{ exists: ["src$NOTHING/a.c"] }')).not.toContain('asked');
    expect(jobsOf('{ changes: ["$NOTHING*"] }', ['a'])).not.toContain('asked');
    expect(jobsOf('{ changes: ["*"] }', ['a'])).toContain('asked');
  });

  it('are taken as matching when there is too much to compare', () => {
    const changed = (count: number) => Array.from({ length: count }, (_, index) => `${index}.txt`);
    const patterns = Array.from({ length: 50 }, (_, index) => `${index}.c`);
    expect(jobsOf(`{ changes: [${patterns.join(', ')}] }`, changed(1000))).not.toContain('asked');
    expect(jobsOf(`{ changes: [${patterns.join(', ')}] }`, changed(1001))).toContain('asked');
  });
});
