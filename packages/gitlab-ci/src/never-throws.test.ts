import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createPipeline,
  expandConfiguration,
  expandVariables,
  lintConfiguration,
  parseExpression,
} from './index.ts';
import { evaluate } from './expression/evaluate.ts';
import { fileMatcher } from './globs.ts';
import { NO_COMMIT } from './lint.ts';
import { parseDuration } from './duration.ts';

const files = (text: string) => ({ read: () => text, list: () => ['.gitlab-ci.yml'] });

/** Everything that is done with a configuration, done with this one. */
function survive(text: string): void {
  const request = { facts: NO_COMMIT, files: files(text) };
  const { pipeline, problems, emptyBecause } = createPipeline(request);
  const wrong = problems.some((problem) => problem.severity === 'error');
  expect([pipeline !== undefined, wrong, emptyBecause !== undefined].filter(Boolean).length).toBeGreaterThan(
    0,
  );
  if (pipeline) expect(wrong).toBe(false);
  lintConfiguration(request);
  lintConfiguration({ ...request, schemaOnly: true });
  expandConfiguration(request);
}

/** Pieces that mean something to YAML or to GitLab, thrown together. */
const piece = fc.constantFrom(
  'job:',
  'script:',
  ' ',
  '  ',
  '\n',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ',',
  ': ',
  '&a ',
  '*a',
  '<<: ',
  '!reference ',
  '"',
  "'",
  '|\n',
  '>-\n',
  '#',
  '---\n',
  '...\n',
  '\t',
  '%YAML 1.1\n',
  '?',
  'include:',
  'extends:',
  '.x',
  'rules:',
  'if:',
  '$A',
  'needs:',
  'null',
  'variables:',
  '0x',
  '1:2',
  'default:',
  'stages:',
  'spec:',
  'inputs:',
  '$[[ inputs.a ]]',
  'parallel:',
  'matrix:',
  '__proto__:',
  '🚀',
);

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('$A', '/x(/', 'never', '1h'),
);
const keyword = fc.constantFrom(
  'script',
  'stage',
  'needs',
  'rules',
  'if',
  'when',
  'variables',
  'extends',
  'include',
  'default',
  'image',
  'name',
  'job',
  'parallel',
  'matrix',
  'artifacts',
  'paths',
  'reports',
  'environment',
  'on_stop',
  'cache',
  'key',
  'files',
  'retry',
  'only',
  'except',
  'workflow',
  'stages',
  'inherit',
  'dependencies',
  'services',
  'trigger',
  'tags',
  'allow_failure',
  'exit_codes',
  'coverage',
  'timeout',
  'a',
  'b',
  '.c',
);
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keyword, tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('whatever users write', () => {
  it('text is problems or a pipeline, never an exception', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => survive(pieces.join(''))),
      { numRuns: 200 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), survive), { numRuns: 100 });
  });

  it('values of any shape under any keyword are problems or a pipeline', { timeout: 30_000 }, () => {
    const config = fc.dictionary(keyword, tree, { minKeys: 1, maxKeys: 8 });
    fc.assert(
      fc.property(config, (value) => survive(JSON.stringify(value))),
      { numRuns: 120 },
    );
  });

  it('expressions parse or are refused at a place inside the text', () => {
    const token = fc.constantFrom(
      '$A',
      '"x"',
      '/ab/',
      '==',
      '!=',
      '=~',
      '!~',
      '&&',
      '||',
      '(',
      ')',
      'null',
      'true',
      ' ',
      '!',
      '$',
      "'",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token, { maxLength: 30 }).map((all) => all.join('')),
        ),
        (text) => {
          const parsed = parseExpression(text);
          if (parsed.ok) evaluate(parsed.expression, { variable: () => 'value' });
          else expect(parsed.problem.offset).toBeLessThanOrEqual(text.length);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('what an expression groups does not depend on the spaces in it', () => {
    const operand = fc.constantFrom('$A', '"x"', 'null', '($A)');
    const operator = fc.constantFrom('==', '!=', '&&', '||');
    fc.assert(
      fc.property(operand, fc.array(fc.tuple(operator, operand), { maxLength: 6 }), (first, rest) => {
        const parts = [first, ...rest.flat()];
        expect(parseExpression(parts.join(' '))).toEqual(parseExpression(parts.join('')));
        expect(parseExpression(parts.join(' ')).ok).toBe(true);
      }),
    );
  });

  it('variables, durations and globs take any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expandVariables(one, { A: other });
        parseDuration(one);
        fileMatcher(one)(other);
      }),
    );
  });
});

describe('files made to hurt', () => {
  const codesOf = (text: string) =>
    lintConfiguration({ files: files(text) }).problems.map((problem) => problem.code);
  const quickly = (work: () => unknown, limitMs = 3000) => {
    const start = performance.now();
    work();
    expect(performance.now() - start).toBeLessThan(limitMs);
  };

  it('aliases that unfold without end', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 30; level += 1) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    quickly(() => expect(codesOf(lines.join('\n'))).toContain('yaml-too-large'));
  });

  it('an alias of itself', () => expect(codesOf('a: &a [*a]')).toContain('yaml-alias'));
  it('more than the size limit', () => expect(codesOf('#'.repeat(3_000_000))).toEqual(['yaml-too-large']));
  it('nesting without end', () => {
    quickly(() => expect(codesOf('['.repeat(20_000))).not.toEqual([]), 10_000);
    quickly(() => expect(codesOf(`a: ${'{a: '.repeat(200)}x${'}'.repeat(200)}`)).toContain('yaml-too-large'));
  });

  it('references that grow', () => {
    const lines = ['.a0: {script: [x, x, x, x, x, x, x, x, x, x]}'];
    for (let level = 1; level < 9; level += 1) {
      const references = Array.from({ length: 10 }, () => `!reference [.a${level - 1}, script]`).join(', ');
      lines.push(`.a${level}: {script: [${references}]}`);
    }
    quickly(() => codesOf(`${lines.join('\n')}\njob: {script: [!reference [.a8, script]]}`));
  });

  it('a pattern that would take a backtracking engine for ever', () => {
    const text = 'job: {script: x, rules: [{if: $CI_COMMIT_MESSAGE =~ /^(a+)+$/}]}';
    const facts = { ...NO_COMMIT, message: `${'a'.repeat(50_000)}!` };
    quickly(() => createPipeline({ facts, files: files(text) }));
  });

  it('a glob with many stars', () => {
    quickly(() => fileMatcher('*a'.repeat(200))('a'.repeat(2000)));
    quickly(() => fileMatcher('**/'.repeat(100))('a/'.repeat(500)));
    quickly(() => fileMatcher('{a,b}'.repeat(40))('ab'));
  });

  const times = (count: number, make: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => make(index)).join('\n');

  it('names like those of objects', () => {
    const text = `
__proto__: {script: x}
constructor: {script: x, variables: {__proto__: a, constructor: b}}
job: {script: x, needs: [__proto__, constructor], artifacts: {reports: {__proto__: a}}}
wrong: {script: x, extends: hasOwnProperty, toString: x}
`;
    expect(codesOf(text)).toEqual(['unknown-keyword', 'extends-missing', 'unknown-keyword']);
    expect(({} as Record<string, unknown>)['script']).toBeUndefined();
  });

  it('variables that double with each other', () => {
    const variables = times(60, (index) => `  V${index + 1}: $V${index}$V${index}$V${index}`);
    const text = `variables:\n  V0: ${'x'.repeat(100)}\n${variables}\njob: {script: x, resource_group: $V60}`;
    quickly(() => survive(text));
  });

  it('variables in a long chain', () => {
    const variables = times(20_000, (index) => `  V${index}: $V${index + 1}`);
    const text = `variables:\n${variables}\n  V20000: end\njob: {script: x, resource_group: $V0}`;
    const { pipeline } = createPipeline({ facts: NO_COMMIT, files: files(text) });
    expect(pipeline?.jobs[0]?.resourceGroup).toBe('end');
  });

  it('inputs that grow', () => {
    const header = `spec: {inputs: {a: {default: ${'x'.repeat(10_000)}}}}\n---\n`;
    const text = header + times(5000, (index) => `j${index}: {script: "$[[ inputs.a ]]$[[ inputs.a ]]"}`);
    quickly(() => expect(codesOf(text)).toEqual(['input-invalid']), 10_000);
  });

  it('blocks without an end', () => {
    const header = 'spec: {inputs: {a: {default: x}}}\n---\n';
    quickly(() => codesOf(`${header}a: {script: "${'$[['.repeat(300_000)}"}`), 10_000);
    quickly(() => codesOf(`${header}a: {script: "$[[${' '.repeat(500_000)}"}`), 10_000);
  });

  it('thousands of mistakes, each with thousands of words that could be meant', () => {
    const jobs = times(5000, (index) => `job${index}: {script: x, needs: [jox${index}], scirpt: x}`);
    quickly(() => expect(codesOf(jobs)).toHaveLength(10_000), 10_000);
  });

  it('files that include each other without end', () => {
    const read = (path: string): string => {
      const level = Number(/\d+/.exec(path)?.[0] ?? 0);
      return `include: [f${level + 1}.yml, f${level + 1}.yml]\njob${level}: {script: x}`;
    };
    const endless = { read, list: () => [] };
    quickly(() => {
      const { problems } = lintConfiguration({ files: endless });
      expect(problems.map(({ code }) => code)).toEqual(['include-limit']);
    });
  });

  it('references that lead nowhere', () => {
    survive('.a: [!reference [.a]]\njob: {script: !reference [.a]}');
    survive('.a: [!reference [.b]]\njob: {script: [!reference [.a]], image: !reference [.c]}');
  });
});
