import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPipeline, explainJob, jobVariables } from '../index.ts';
import type { InstanceExplanation, Job, PipelineRequest } from '../index.ts';
import { FACTS } from '../testing/commit.ts';

const variable = fc.constantFrom('$A', '$B', '$NO', '$EMPTY', '$CI_COMMIT_BRANCH', '$CI_COMMIT_TAG', '$OS');
const literal = fc.constantFrom('"1"', '"main"', '""', 'null', '/ma.n/', '"linux"', 'true');
const comparison = fc
  .tuple(variable, fc.constantFrom('==', '!=', '=~', '!~'), fc.oneof(literal, variable))
  .map((words) => words.join(' '));
const expression = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    comparison,
    variable,
    fc
      .tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node'))
      .map(([left, operator, right]) => `${left} ${operator} (${right})`),
  ),
})).node;
const patterns = fc.subarray(['src/**/*', '*.md', 'Makefile', '$A/*'], { minLength: 1 });
const when = fc.constantFrom('on_success', 'always', 'never', 'manual');
const rule = fc.record(
  { if: expression, changes: patterns, exists: patterns, when, variables: fc.constant({ R: 'rule' }) },
  { requiredKeys: [] },
);
const rules = fc.array(rule, { minLength: 1, maxLength: 4 });
const refs = fc.subarray(['main', 'branches', 'tags', '/^ma/', 'schedules', 'merge_requests'], {
  minLength: 1,
});
const filter = fc.oneof(
  refs,
  fc.record(
    { refs, variables: fc.array(expression, { minLength: 1, maxLength: 2 }), changes: patterns },
    { requiredKeys: [] },
  ),
);
const job = fc.oneof(
  fc.record(
    {
      script: fc.constant('make'),
      when,
      rules,
      variables: fc.dictionary(fc.constantFrom('A', 'B', 'EMPTY'), fc.constantFrom('', '1', '$B')),
      parallel: fc.constantFrom(2, { matrix: [{ OS: ['linux', 'mac'] }] }),
      needs: fc.constantFrom([], [{ job: 'one', optional: true }]),
    },
    { requiredKeys: ['script'] },
  ),
  fc.record(
    { script: fc.constant('make'), only: filter, except: filter, when },
    { requiredKeys: ['script'] },
  ),
);
const configuration = fc.record(
  {
    one: job,
    two: job,
    variables: fc.constant({ A: '1', EMPTY: '' }),
    workflow: fc.record({
      rules: fc.array(
        fc.record({ if: expression, when: fc.constantFrom('always', 'never') }, { requiredKeys: [] }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    }),
  },
  { requiredKeys: ['one', 'two'] },
);

function requestOf(
  config: object,
  changedPaths: readonly string[] | undefined,
  tag: boolean,
): PipelineRequest {
  const files = new Map([
    ['.gitlab-ci.yml', JSON.stringify(config)],
    ['Makefile', ''],
  ]);
  const ref = tag ? { branch: undefined, tag: 'v1' } : {};
  return {
    facts: { ...FACTS, ...ref, changedPaths },
    files: { read: (path) => files.get(path), list: () => [...files.keys()] },
    pipelineVariables: [{ key: 'B', value: 'main', source: 'pipeline' }],
  };
}

type Written = Readonly<Record<string, { readonly when?: string } | undefined>>;

/** The trace alone must come to the same end as the functions that decide. */
function endOfTrace({ rules, filters }: InstanceExplanation, own: string | undefined): boolean {
  if (rules) {
    const deciding = rules.rules.find(({ holds }) => holds);
    return deciding !== undefined && (deciding.sets.when ?? own) !== 'never';
  }
  const fits = filters.every(({ keyword, conditions }) =>
    keyword === 'only' ? conditions.every(({ holds }) => holds) : !conditions.some(({ holds }) => holds),
  );
  return fits && own !== 'never';
}

const isOf = (name: string, { name: other }: Job): boolean =>
  other === name || other.startsWith(`${name} `) || other.startsWith(`${name}: `);

function checkJob(name: string, request: PipelineRequest, config: Written): readonly InstanceExplanation[] {
  const { pipeline } = createPipeline(request);
  const { instances } = explainJob(request, name);
  const jobs = (pipeline?.jobs ?? []).filter((job) => isOf(name, job));
  const inside = instances.filter((instance) => instance.in);
  expect(inside.map((instance) => instance.name)).toEqual(jobs.map((job) => job.name));
  for (const instance of instances) expect(instance.in).toBe(endOfTrace(instance, config[name]?.when));
  for (const [index, job] of jobs.entries()) {
    const explained = inside[index];
    const keys = pipeline && jobVariables(pipeline, job).map(({ key }) => key);
    expect(explained?.variables.map(({ key }) => key).toSorted()).toEqual(keys?.toSorted());
    expect(explained?.result).toMatchObject({ when: job.when, allowFailure: job.allowFailure });
  }
  return instances;
}

const changed = fc.option(fc.subarray(['src/a/b.c', 'README.md', '1/x'], { minLength: 1 }), {
  nil: undefined,
});

it('explains as in exactly the jobs that the pipeline has', { timeout: 120_000 }, () => {
  const seen = { in: 0, out: 0 };
  fc.assert(
    fc.property(configuration, changed, fc.boolean(), (config, changedPaths, tag) => {
      const request = requestOf(config, changedPaths, tag);
      const { problems } = createPipeline(request);
      if (problems.some(({ severity }) => severity === 'error')) return;
      for (const name of ['one', 'two']) {
        for (const instance of checkJob(name, request, config as Written))
          seen[instance.in ? 'in' : 'out'] += 1;
      }
    }),
    { numRuns: 150 },
  );
  expect(Math.min(seen.in, seen.out)).toBeGreaterThan(30);
});
