import { isDeepStrictEqual } from 'node:util';
import { isTimeZone, parseSchedule } from '../../controllers/cron-job/schedule.ts';
import type { KubeObject } from '../../store/types.ts';
import { recordAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';
import { validatePodSpec } from './validate-pod.ts';

/** Its jobs carry eleven more characters: a dash and the minute. */
const LONGEST_CRON_NAME = 52;

export function validateCronJob(cron: KubeObject, problems: Problems): void {
  const { name } = cron.metadata;
  if (name.length > LONGEST_CRON_NAME) {
    problems.invalid('metadata.name', name, `must be no more than ${LONGEST_CRON_NAME} characters`);
  }
  validateSchedule(cron, problems);
  problems.oneOf('spec.concurrencyPolicy', cron.spec?.['concurrencyPolicy'], ['Allow', 'Forbid', 'Replace']);
  for (const key of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit']) {
    problems.notNegative(`spec.${key}`, cron.spec?.[key]);
  }
  const pod = recordAt(recordAt(recordAt(recordAt(cron.spec, 'jobTemplate'), 'spec'), 'template'), 'spec');
  const at = 'spec.jobTemplate.spec.template.spec';
  validatePodSpec(at, pod, problems);
  problems.oneOf(`${at}.restartPolicy`, pod['restartPolicy'], ['OnFailure', 'Never']);
}

function validateSchedule(cron: KubeObject, problems: Problems): void {
  const schedule = textAt(cron.spec, 'schedule');
  const timeZone = textAt(cron.spec, 'timeZone');
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    problems.invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`);
  }
  if (!schedule) return problems.required('spec.schedule');
  const parsed = parseSchedule(schedule);
  if ('problem' in parsed) problems.invalid('spec.schedule', schedule, parsed.problem);
  return undefined;
}

const INDEXED = 'Indexed';
const IMMUTABLE = 'field is immutable';
const FIXED = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'successPolicy',
  'managedBy',
];

/** A Job stays what it is, but an Indexed one may change its size, and one that never ran where its pods may go. */
export function validateJobChange(object: KubeObject, before: KubeObject, problems: Problems): void {
  const [spec, former] = [object.spec ?? {}, before.spec ?? {}];
  for (const key of FIXED)
    if (!isDeepStrictEqual(spec[key], former[key])) problems.invalid(`spec.${key}`, spec[key], IMMUTABLE);
  validateCompletions(spec, former, problems);
  const neverRan = former['suspend'] === true && textAt(before.status, 'startTime') === undefined;
  const identity = (template: unknown) => (neverRan ? withoutPlacement(template) : template);
  if (!isDeepStrictEqual(identity(spec['template']), identity(former['template'])))
    problems.invalid('spec.template', spec['template'], IMMUTABLE);
}

function validateCompletions(spec: Members, former: Members, problems: Problems): void {
  const { completions, parallelism, completionMode } = spec;
  if (completions === former['completions']) return;
  if (completionMode !== INDEXED || completions === undefined)
    problems.invalid('spec.completions', completions, IMMUTABLE);
  else if (completions !== parallelism)
    problems.invalid('spec.completions', completions, 'can only be modified in tandem with spec.parallelism');
}

/** The template without what a queue may still decide: labels, annotations, and where its pods may go. */
function withoutPlacement(template: unknown): Members {
  const { labels: _labels, annotations: _annotations, ...metadata } = recordAt(template, 'metadata');
  const pod = recordAt(template, 'spec');
  const { nodeSelector: _selector, tolerations: _tolerations, schedulingGates: _gates, ...rest } = pod;
  const { nodeAffinity: _affinity, ...affinity } = recordAt(pod, 'affinity');
  return { metadata, spec: { ...rest, affinity } };
}

/** What a Job says of itself; its template is checked as every workload's is. */
export function validateJob(job: KubeObject, problems: Problems): void {
  const spec = job.spec ?? {};
  for (const key of [
    'parallelism',
    'completions',
    'backoffLimit',
    'activeDeadlineSeconds',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ]) {
    problems.notNegative(`spec.${key}`, spec[key]);
  }
  problems.oneOf('spec.completionMode', spec['completionMode'], ['NonIndexed', INDEXED]);
  problems.oneOf('spec.podReplacementPolicy', spec['podReplacementPolicy'], [
    'Failed',
    'TerminatingOrFailed',
  ]);
  if (spec['completionMode'] === INDEXED) {
    if (spec['completions'] === undefined) {
      problems.required('spec.completions', 'when completion mode is Indexed');
    }
  } else {
    for (const key of ['backoffLimitPerIndex', 'maxFailedIndexes', 'successPolicy']) {
      if (spec[key] !== undefined) {
        problems.invalid(`spec.${key}`, spec[key], 'requires indexed completion mode');
      }
    }
  }
  const policy = textAt(recordAt(recordAt(spec, 'template'), 'spec'), 'restartPolicy');
  if (spec['podFailurePolicy'] !== undefined && policy !== 'Never') {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    problems.invalid('spec.template.spec.restartPolicy', policy, why);
  }
}
