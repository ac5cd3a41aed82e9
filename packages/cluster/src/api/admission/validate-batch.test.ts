import { expect, test } from 'vitest';
import type { KubeObject } from '../../store/types.ts';
import { applyDefaults } from './defaults.ts';
import { Problems } from './problems.ts';
import { validateCronJob, validateJob, validateJobChange } from './validate-batch.ts';

const metadata = { name: 'j', namespace: 'shop', uid: 'u', resourceVersion: '', creationTimestamp: '' };
const template = (restartPolicy = 'Never') => ({
  spec: { restartPolicy, containers: [{ name: 'c', image: 'a' }] },
});

function cron(spec: object, name = 'j'): string[] {
  const object: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { ...metadata, name },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template() } }, ...spec },
  };
  const problems = new Problems();
  validateCronJob(object, problems);
  return problems.list.map(({ field, message }) => `${field}: ${message}`);
}

function job(spec: object): string[] {
  const object: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: { template: template(), ...spec },
  };
  applyDefaults('jobs.batch', object);
  const problems = new Problems();
  validateJob(object, problems);
  return problems.list.map(({ field, message }) => `${field}: ${message}`);
}

test('a CronJob says what is wrong with its times', () => {
  expect(cron({})).toEqual([]);
  expect(cron({ schedule: '61 * * * *', timeZone: 'Moon/Base', concurrencyPolicy: 'Never' })).toEqual([
    'spec.timeZone: Invalid value: "Moon/Base": unknown time zone Moon/Base',
    'spec.schedule: Invalid value: "61 * * * *": minute 61 is outside of 0 to 59',
    'spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"',
  ]);
  expect(cron({ schedule: '' })).toEqual(['spec.schedule: Required value']);
  expect(cron({}, 'x'.repeat(53))).toEqual([
    `metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`,
  ]);
  expect(cron({ jobTemplate: { spec: { template: template('Always') } } })).toEqual([
    'spec.jobTemplate.spec.template.spec.restartPolicy: Unsupported value: "Always": supported values: "OnFailure", "Never"',
  ]);
});

test('a Job says which fields do not go together', () => {
  expect(job({})).toEqual([]);
  expect(job({ completionMode: 'Indexed', parallelism: 2 })).toEqual([
    'spec.completions: Required value: when completion mode is Indexed',
  ]);
  expect(job({ backoffLimitPerIndex: 1 })).toEqual([
    'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
  ]);
  expect(job({ podFailurePolicy: { rules: [] }, template: template('OnFailure') })).toEqual([
    'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ]);
});

test('a limit of each index lifts the common one; rules for failures wait for pods to have failed', () => {
  const object: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: { template: template(), backoffLimitPerIndex: 1, podFailurePolicy: { rules: [] } },
  };
  applyDefaults('jobs.batch', object);
  expect(object.spec).toMatchObject({ backoffLimit: 2_147_483_647, podReplacementPolicy: 'Failed' });
});

function jobChange(before: object, after: object, status: Record<string, unknown> = {}): string[] {
  const object = (spec: object): KubeObject => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: { template: template(), ...spec },
    status,
  });
  const problems = new Problems();
  validateJobChange(object(after), object(before), problems);
  return problems.list.map(({ field, message }) => `${field}: ${message}`);
}

test('an Indexed Job may change its size, completions and parallelism together', () => {
  const size = (completions: number, parallelism = completions) => ({
    completionMode: 'Indexed',
    completions,
    parallelism,
  });
  expect(jobChange(size(3), size(5))).toEqual([]);
  expect(jobChange(size(3), size(3, 1))).toEqual([]);
  expect(jobChange(size(3), size(5, 3))).toEqual([
    'spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism',
  ]);
  const plain = { completionMode: 'NonIndexed', completions: 1, parallelism: 1 };
  expect(jobChange(plain, { ...plain, completions: 2, parallelism: 2 })).toEqual([
    'spec.completions: Invalid value: 2: field is immutable',
  ]);
  expect(jobChange(size(3), { ...size(3), completionMode: 'NonIndexed' })[0]).toContain(
    'spec.completionMode',
  );
});

test('a suspended Job that never ran may be told where its pods go, and nothing else of them', () => {
  const spec = template().spec;
  const placed = {
    metadata: { labels: { queue: 'q' } },
    spec: { ...spec, nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }] },
  };
  const changed = { spec: { ...spec, containers: [{ name: 'c', image: 'b' }] } };
  expect(jobChange({ suspend: true }, { suspend: true, template: placed })).toEqual([]);
  expect(jobChange({ suspend: true }, { suspend: false, template: placed })).toEqual([]);
  for (const refused of [
    jobChange({}, { template: placed }),
    jobChange({ suspend: true }, { template: placed }, { startTime: '2026-01-01T00:00:00Z' }),
    jobChange({ suspend: true }, { template: changed }),
  ])
    expect(refused).toEqual([expect.stringMatching(/^spec.template: .*field is immutable$/)]);
});
