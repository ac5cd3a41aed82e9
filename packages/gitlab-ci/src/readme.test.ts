import { describe, expect, it } from 'vitest';
import { codes, createPipeline } from './index.ts';
import { NO_COMMIT } from './lint.ts';
import { readFolder } from './testing/reference.ts';

const readme = readFolder('.').get('README.md') ?? '';

describe('the README', () => {
  it('lists every code of a problem, as the table has it', () => {
    const rows = [...readme.matchAll(/^\| `([\w-]+)` \| (error|warning) \| (.*) \|$/gm)];
    const listed = Object.fromEntries(
      rows.map(([, code = '', severity, meaning]) => [code, [severity, meaning]]),
    );
    expect(listed).toEqual(codes);
  });

  it('has an example that works', () => {
    const text = /const text = `\n([^`]*)`;/.exec(readme)?.[1] ?? '';
    const files = { read: () => text, list: () => ['.gitlab-ci.yml'] };
    const { pipeline, problems } = createPipeline({ facts: NO_COMMIT, files });
    expect(problems).toEqual([]);
    expect(pipeline?.jobs.map((job) => job.name)).toEqual(['build']);
  });
});

describe('codes', () => {
  it('are all raised somewhere', () => {
    const sources = [...readFolder('src')].filter(([file]) => /(?<!\.test|codes\.table)\.ts$/.test(file));
    const all = sources.map(([, text]) => text).join('\n');
    const unused = Object.keys(codes).filter((code) => !all.includes(`'${code}'`));
    expect(unused).toEqual([]);
  });
});
