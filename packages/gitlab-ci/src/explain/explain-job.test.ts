import { describe, expect, it } from 'vitest';
import { explainJob } from '../index.ts';
import type { ExplainRequest, Explanation } from '../index.ts';
import { FACTS } from '../testing/commit.ts';

type Asked = Omit<Partial<ExplainRequest>, 'files' | 'facts'> & { readonly facts?: Partial<typeof FACTS> };

function explain(
  name: string,
  texts: string | Readonly<Record<string, string>>,
  asked: Asked = {},
): Explanation {
  const files = new Map(Object.entries(typeof texts === 'string' ? { '.gitlab-ci.yml': texts } : texts));
  return explainJob(
    {
      ...asked,
      facts: { ...FACTS, ...asked.facts },
      files: { read: (path) => files.get(path), list: () => [...files.keys()] },
    },
    name,
  );
}

const firstOf = ({ instances }: Explanation) => {
  const [first] = instances;
  if (!first) throw new Error('no instance is explained');
  return first;
};

const variable = (explanation: Explanation, key: string) =>
  firstOf(explanation).variables.find((one) => one.key === key);

describe('verdict and reason', () => {
  it.each([
    ['a: {script: x}', 'in', /no rules, only or except: .* the branch main/],
    ['a: {script: x, only: [tags]}', 'out', /only:refs \(tags\) does not fit the branch main/],
    ['a: {script: x, only: [main]}', 'in', /only fits the branch main/],
    ['a: {script: x, except: [main]}', 'out', /except:refs \(main\) fits the branch main/],
    ['a: {script: x, rules: [{if: $X}]}', 'out', /its only rule does not hold/],
    ['a: {script: x, rules: [{if: $X}, {if: $Y}]}', 'out', /none of its 2 rules holds/],
    ['a: {script: x, rules: [{if: $X}, {when: always}]}', 'in', /rule 2 of 2 .*it has no condition/],
    ['a: {script: x, rules: [{if: $CI, when: never}]}', 'out', /rule 1 of 1 .* when: never: \$CI/],
    ['a: {script: x, when: never, rules: [{if: $CI}]}', 'out', /holds, but the job says when: never/],
    ['a: {script: x, when: never}', 'out', /the job says when: never/],
    ['a: {script: x}\nworkflow: {rules: [{if: $X}]}', 'out', /none of workflow:rules holds/],
    [
      'a: {script: x}\nworkflow: {rules: [{when: never}]}',
      'out',
      /rule 1 \(\.gitlab-ci\.yml:2\) says when: never/,
    ],
    ['a: {script: x}\nworkflow: {rules: [{when: always}]}', 'in', /so it is in every pipeline/],
    ['a: [x', 'unreadable', /cannot be read/],
    ['.a: {script: x}\na: {extends: .a}', 'in', /no rules/],
    ['a: {script: x, parallel: 2}', 'in', /all of its 2 instances are/],
    [
      'a: {script: x, parallel: {matrix: [{O: [l, w]}]}, rules: [{if: $O == "l"}]}',
      'partly',
      /1 of its 2 .*a: \[w\] is not/,
    ],
    ['a: {script: x, parallel: 2, only: [tags]}', 'out', /none of its 2 instances is/],
  ])('%j is %s', (text, verdict, reason) => {
    const explanation = explain('a', text);
    expect(explanation.verdict).toBe(verdict);
    expect(explanation.reason).toMatch(reason);
    expect(explanation.reason).not.toMatch(/undefined|\[object/);
  });

  it('tells what the name is when it is no job of the pipeline', () => {
    const text =
      '.base: {script: x}\nbuild: {extends: .base}\nb: {script: x, parallel: 2}\nvariables: {A: b}';
    expect(explain('bild', text)).toMatchObject({ verdict: 'unknown', suggestion: 'build' });
    expect(explain('BUILD', text)).toMatchObject({ verdict: 'unknown', suggestion: 'build' });
    expect(explain('b 1/3', text)).toMatchObject({ verdict: 'unknown', suggestion: 'b 1/2' });
    expect(explain('variables', text)).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringMatching(/keyword/),
    });
    expect(explain('.base', text)).toMatchObject({ verdict: 'hidden', usedBy: ['build'] });
  });

  it('explains one instance of a parallel job by its name', () => {
    const text = 'a: {script: x, parallel: {matrix: [{O: [l, w]}]}, rules: [{if: $O == "l"}]}';
    const explanation = explain('a: [w]', text);
    expect(explanation).toMatchObject({ verdict: 'out', reason: 'its only rule does not hold' });
    expect(firstOf(explanation).rules?.rules[0]?.condition?.operands).toMatchObject([
      { name: 'O', value: 'w', from: { source: 'matrix', position: { line: 1 } } },
    ]);
  });

  it('explains a job although others are wrong, and says that there is no pipeline', () => {
    const explanation = explain('a', 'a: {script: x}\nb: {scrip: x}\nc: {extends: .nobody, script: y}');
    expect(explanation).toMatchObject({
      verdict: 'in',
      noPipeline: expect.stringMatching(/^the configuration has/),
    });
    expect(explanation.problems).not.toEqual([]);
  });
});

describe('rules', () => {
  it('tells each part of a condition, what decided and what was not looked at', () => {
    const [rule] = firstOf(
      explain('a', 'a:\n  script: x\n  rules:\n    - if: $CI && ($A == "1" || $B) && $CI_COMMIT_TAG\n'),
    ).rules!.rules;
    expect(rule).toMatchObject({
      holds: false,
      position: { line: 4 },
      condition: {
        text: '$CI && ($A == "1" || $B) && $CI_COMMIT_TAG',
        parts: [
          {
            text: '$CI',
            holds: true,
            operands: [{ name: 'CI', value: 'true', from: { source: 'predefined' } }],
          },
          {
            text: '$A == "1" || $B',
            holds: false,
            operands: [],
            parts: [{ holds: false }, { holds: false }],
          },
          { text: '$CI_COMMIT_TAG', holds: undefined },
        ],
      },
    });
  });

  it('takes an empty text for true inside of an expression, as GitLab does', () => {
    const text = 'a: {script: x, variables: {E: ""}, rules: [{if: $E || $CI}, {if: $E && $CI}]}';
    expect(firstOf(explain('a', text)).rules!.rules).toMatchObject([
      { holds: false, condition: { parts: [{ holds: true }, { holds: undefined }] } },
      { holds: true, condition: { parts: [{ holds: true }, { holds: true }] } },
    ]);
  });

  it('tells which file fitted which pattern, or why nothing was compared', () => {
    const text = `
a:
  script: x
  rules:
    - if: $X
      changes: [never]
    - changes: [docs/*, src/**/*.c]
      exists: [Makefile]
`;
    const given = { '.gitlab-ci.yml': text, Makefile: '' };
    const [first, second] = firstOf(explain('a', given, { facts: { changedPaths: ['a', 'src/b/c.c'] } }))
      .rules!.rules;
    expect(first?.changes).toMatchObject({ holds: undefined, looked: undefined });
    expect(second?.changes).toMatchObject({ looked: 2, match: { pattern: 'src/**/*.c', path: 'src/b/c.c' } });
    expect(second?.exists).toMatchObject({ looked: 2, paths: [], match: { path: 'Makefile' } });
    const blind = firstOf(explain('a', given)).rules!.rules[1];
    expect(blind?.changes).toMatchObject({
      holds: true,
      looked: undefined,
      because: expect.stringMatching(/nothing to compare/),
    });
  });

  it('tells what a rule sets', () => {
    const text = `
a:
  script: x
  rules:
    - if: $CI
      when: delayed
      start_in: 1 minute
      allow_failure: true
      interruptible: true
      needs: []
      variables: {V: w}
`;
    const explanation = explain('a', text);
    expect(firstOf(explanation).rules?.rules[0]?.sets).toEqual({
      when: 'delayed',
      startInSeconds: 60,
      allowFailure: true,
      interruptible: true,
      needs: [],
      variables: [{ key: 'V', value: 'w' }],
    });
    expect(firstOf(explanation).result).toMatchObject({
      when: 'delayed',
      startInSeconds: 60,
      allowFailure: true,
    });
    expect(variable(explanation, 'V')).toMatchObject({ source: 'rule', position: { line: 11 } });
  });

  it('tells which condition of only and except decided', () => {
    const text =
      'a: {script: x, only: {refs: [main], variables: [$X, $CI == "true"]}, except: {changes: [a]}}';
    expect(firstOf(explain('a', text, { facts: { changedPaths: ['b'] } })).filters).toMatchObject([
      {
        keyword: 'only',
        conditions: [
          { keyword: 'refs', holds: true },
          {
            keyword: 'variables',
            holds: true,
            entries: [{ holds: false }, { holds: true, expression: { text: '$CI == "true"' } }],
          },
        ],
      },
      { keyword: 'except', conditions: [{ keyword: 'changes', holds: false }] },
    ]);
  });
});

describe('where keys come from', () => {
  const files = {
    '.gitlab-ci.yml': `
include: ci/base.yml
default: {image: debian, retry: 1}
.anchored: &anchored
  tags: [t]
.tpl:
  extends: .deep
  artifacts: {paths: [a], when: always}
  retry: 2
a:
  <<: *anchored
  extends: .tpl
  script:
    - !reference [.scripts, build]
  artifacts: {paths: [b]}
`,
    'ci/base.yml': '.deep: {stage: build}\n.scripts:\n  build: [make]\n',
  };
  const keys = new Map(explain('a', files).keys.map((key) => [key.key, key]));

  it('names own keys, templates, defaults, anchors and references', () => {
    expect(keys.get('stage')).toMatchObject({
      from: 'extends',
      via: ['.tpl', '.deep'],
      position: { file: 'ci/base.yml', line: 1, includedFrom: ['.gitlab-ci.yml'] },
    });
    expect(keys.get('tags')).toMatchObject({ from: 'own', anchorIn: '.anchored', position: { line: 5 } });
    expect(keys.get('image')).toMatchObject({ from: 'default', position: { line: 3 } });
    expect(keys.get('retry')).toMatchObject({ from: 'extends', via: ['.tpl'], over: [] });
    expect(keys.get('script')).toMatchObject({
      from: 'own',
      references: [{ path: ['.scripts', 'build'], leadsTo: { file: 'ci/base.yml', line: 3 } }],
    });
  });

  it('takes merged maps apart', () => {
    expect(keys.get('artifacts')).toMatchObject({
      from: 'own',
      over: [{ from: 'extends', via: ['.tpl'] }],
      parts: [
        { key: 'paths', from: 'own', over: [{ from: 'extends' }] },
        { key: 'when', from: 'extends', via: ['.tpl'], position: { line: 8 } },
      ],
    });
  });

  it('lists the templates', () => {
    expect(explain('a', files).parents).toMatchObject([
      { name: '.tpl', of: 'a' },
      { name: '.deep', of: '.tpl', position: { line: 7 } },
    ]);
  });
});

describe('variables', () => {
  const text = `
variables: {A: global, G: 'g-$A', FILE: x}
workflow: {rules: [{if: $CI, variables: {A: workflow}}]}
.tpl: {variables: {A: template}}
a:
  extends: .tpl
  script: x
  variables: {A: job, LEAK: 'x$SECRET', CONTENT: $FILE}
  rules: [{if: $SECRET == "swordfish", variables: {A: rule}}]
`;
  const explanation = explain('a', text, {
    projectVariables: [
      { key: 'SECRET', value: 'swordfish', masked: true, source: 'project' },
      { key: 'G', value: 'of the platform', source: 'project' },
      { key: 'G', value: 'of the user', source: 'project' },
      { key: 'FILE', value: 'quite-private', file: true, source: 'project' },
    ],
    pipelineVariables: [{ key: 'G', value: 'given', source: 'pipeline' }],
    variableOrigins: new Map([
      ['SECRET', '/etc/vars.yml'],
      ['G', '/etc/vars.yml'],
    ]),
  });

  it('names the winner and all that lost, with their places', () => {
    expect(variable(explanation, 'A')).toMatchObject({
      value: 'rule',
      source: 'rule',
      position: { line: 9 },
      over: [
        { source: 'job', value: 'job', position: { line: 8 } },
        { source: 'workflow', value: 'workflow', position: { line: 3 } },
        { source: 'global', value: 'global', position: { line: 2 } },
      ],
    });
    expect(variable(explanation, 'G')).toMatchObject({
      value: 'given',
      place: 'the command line',
      over: [
        { value: 'of the user', source: 'project', place: '/etc/vars.yml' },
        { value: 'of the platform', source: 'project', place: 'other settings' },
        { value: 'g-$A', source: 'global' },
      ],
    });
  });

  it('names the template’s value when the job’s own wins', () => {
    const plain = explain(
      'a',
      '.t: {variables: {A: template}}\na: {extends: .t, script: x, variables: {A: job}}',
    );
    expect(variable(plain, 'A')?.over).toMatchObject([{ value: 'template', via: '.t' }]);
  });

  it('shows no secret, wherever it was put in', () => {
    expect(variable(explanation, 'SECRET')).toMatchObject({
      value: '[masked]',
      masked: true,
      place: '/etc/vars.yml',
    });
    expect(variable(explanation, 'LEAK')).toMatchObject({ value: 'x$SECRET', expanded: 'x[masked]' });
    expect(firstOf(explanation).rules?.rules[0]?.condition?.operands).toMatchObject([{ value: '[masked]' }]);
    const shown = JSON.stringify({ ...explanation, problems: [] });
    expect(shown).not.toContain('quite-private');
    expect(shown.replaceAll('$SECRET == \\"swordfish\\"', '')).not.toContain('swordfish');
  });
});

it('names needs on other pipelines', () => {
  const text =
    'a: {script: x, needs: [{pipeline: $PARENT_PIPELINE_ID, job: b}, {project: g/p, job: c, ref: main, artifacts: true}]}';
  expect(firstOf(explain('a', text)).needs).toMatchObject([
    { job: 'b', state: 'foreign', because: 'of the pipeline $PARENT_PIPELINE_ID' },
    { job: 'c', state: 'foreign', because: 'of the project g/p' },
  ]);
});

it('tells what becomes of needs', () => {
  const text = `
b: {script: x, parallel: 2}
gone: {script: x, rules: [{if: $NO}]}
a:
  script: x
  needs: [b, {job: gone, optional: true}, gone, nobody]
`;
  const explanation = explain('a', text);
  expect(explanation.noPipeline).toMatch(/2 errors/);
  expect(firstOf(explanation).needs).toMatchObject([
    { job: 'b', state: 'met', jobs: ['b 1/2', 'b 2/2'], position: { line: 6 } },
    { job: 'gone', state: 'dropped', because: 'its only rule does not hold' },
    { job: 'gone', state: 'left-out', because: 'its only rule does not hold' },
    { job: 'nobody', state: 'missing', because: undefined },
  ]);
});
