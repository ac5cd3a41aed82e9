import { expect, test } from 'vitest';
import type { KubeObject } from '../../store/types.ts';
import { applyDefaults } from './defaults.ts';
import { Problems } from './problems.ts';
import { validateCronJob, validateJob } from './validate-batch.ts';

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
