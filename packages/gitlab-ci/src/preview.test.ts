import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPipeline, expandConfiguration } from './index.ts';
import type { PipelineRequest, PipelineResult } from './index.ts';
import { FACTS } from './testing/commit.ts';
import { listFolders, readFolder } from './testing/reference.ts';

const NAME = '.gitlab-ci.yml';

function requestOf(files: ReadonlyMap<string, string>, configPath = NAME): PipelineRequest {
  const nothing = { kind: 'unavailable', message: 'not in this test' } as const;
  return {
    facts: { ...FACTS, changedPaths: ['src/a.c'] },
    configPath,
    files: { read: (path) => files.get(path), list: () => [...files.keys()] },
    answers: { get: () => nothing },
  };
}

const previewOf = (request: PipelineRequest): string | undefined => expandConfiguration(request).yaml;

/** The same commit with the preview as its configuration. */
function afterPreview(request: PipelineRequest, yaml: string): PipelineRequest {
  const { read, list } = request.files;
  return { ...request, files: { list, read: (path) => (path === request.configPath ? yaml : read(path)) } };
}

/** Jobs without their places, which a preview cannot keep. */
const shown = ({ pipeline, emptyBecause }: PipelineResult): object =>
  JSON.parse(
    JSON.stringify({ pipeline, emptyBecause }, (key, value: unknown) =>
      key === 'position' ? undefined : value,
    ),
  );

const hasErrors = ({ problems }: PipelineResult): boolean =>
  problems.some(({ severity }) => severity === 'error');

/** For a branch and for a tag: `include:rules` may give them different configurations. */
function checkPreview(request: PipelineRequest): void {
  for (const kind of [{}, { branch: undefined, tag: 'v1', changedPaths: undefined }]) {
    const asked = { ...request, facts: { ...request.facts, ...kind } };
    const original = createPipeline(asked);
    if (hasErrors(original)) continue;
    const yaml = previewOf(asked) ?? '';
    const again = afterPreview(asked, yaml);
    expect(previewOf(again)).toBe(yaml);
    expect({ yaml, ...shown(createPipeline(again)) }).toEqual({ yaml, ...shown(original) });
  }
}

const configurations = listFolders('cases').map((name) => {
  const files = [...readFolder(`cases/${name}`)]
    .filter(([file]) => file.startsWith('input/'))
    .map(([file, text]) => [file.slice('input/'.length), text] as const);
  return [name, requestOf(new Map(files))] as const;
});

it.each(configurations)('the preview of %s means the same, and is its own preview', (_, request) =>
  checkPreview(request),
);

it('the preview of this repository’s own pipeline means the same', () => {
  const files = [...readFolder('../../.gitlab')].map(([file, text]) => [`.gitlab/${file}`, text] as const);
  const request = requestOf(new Map(files), '.gitlab/gitlab-ci.yml');
  expect(hasErrors(createPipeline(request))).toBe(false);
  checkPreview(request);
});

const word = fc.oneof(
  fc.constantFrom(
    'yes',
    'On',
    'y',
    '0755',
    '22:30',
    '1:2:3',
    '2026-01-02',
    '2026-01-02 03:04:05',
    '1,000',
    '1_0',
    '~',
  ),
  fc.constantFrom(
    'null',
    '',
    '1.10',
    '1e3',
    '.5',
    '0x1F',
    '0b1',
    ':sym',
    '=',
    '<<',
    '- a',
    'a: b',
    'a #b',
    '*x',
    '&x',
  ),
  fc.constantFrom(
    '!reference [a]',
    '%d',
    '@x',
    '`x`',
    '{a}',
    '[a]',
    '> x',
    '| x',
    "it's",
    '"q"',
    ' lead',
    'trail ',
    '\t',
  ),
  fc.constantFrom(
    'a\nb',
    'a\n\nb\n',
    '  a\n b',
    'a\n',
    '\na',
    'a \nb',
    'a\tb',
    '\u001b[0m',
    'a\\nb',
    '🚀',
    '-',
    '?',
    '.inf',
  ),
  fc.string({ maxLength: 8 }),
);

it('every text comes back as it was, as a name, a variable and a command', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(word, word, fc.array(word, { minLength: 1, maxLength: 3 }), (key, value, script) => {
      // JSON is YAML in which nothing needs to be guessed.
      const job = { stage: 'test', variables: { [`K${key}`]: value }, script };
      const files = new Map([[NAME, JSON.stringify({ [`job ${key}`]: job, '7': { script: ['x'] } })]]);
      checkPreview(requestOf(files));
      const [first] = createPipeline(requestOf(files)).pipeline?.jobs ?? [];
      if (first && !first.name.startsWith('job')) return;
      expect(first?.script.filter((line) => !script.includes(line)) ?? []).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

describe('the text', () => {
  const preview = (text: string): string => previewOf(requestOf(new Map([[NAME, text]]))) ?? '';

  it('begins with stages, workflow and variables, and keeps the order of the jobs', () => {
    const text =
      'b: {script: x}\nvariables: {A: b}\n2: {script: x}\nworkflow: {rules: [{if: $CI}]}\na: {script: x}';
    const keys = preview(text).match(/^\S+(?=:)/gm);
    expect(keys).toEqual(['stages', 'workflow', 'variables', 'b', '"2"', 'a']);
  });

  it('shows commands of several lines as blocks', () => {
    expect(preview('a:\n  script:\n    - |\n      if x; then\n        y\n      fi\n    - z\n')).toContain(
      '  script:\n    - |\n      if x; then\n        y\n      fi\n    - z\n',
    );
  });

  it('keeps a job that refuses the defaults from getting them, and the others’ in the job', () => {
    const text =
      'default: {image: i, retry: 1}\na: {script: x, inherit: {default: false}}\nb: {script: x, inherit: {default: [retry]}}';
    const yaml = preview(text);
    expect(yaml).not.toMatch(/^default:/m);
    expect(yaml).toMatch(/^b:\n(?: .*\n)*? {2}retry: 1$/m);
    expect(yaml).not.toContain('image');
  });

  it('keeps what variables say of themselves', () => {
    const text =
      'variables:\n  A: {value: "on", description: d, options: ["on", "off"], expand: false}\na: {script: x}';
    expect(preview(text)).toContain(
      'A:\n    value: "on"\n    description: d\n    options:\n      - "on"\n      - "off"\n    expand: false\n',
    );
  });
});
