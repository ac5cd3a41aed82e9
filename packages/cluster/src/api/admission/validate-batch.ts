import { isTimeZone, parseSchedule } from '../../controllers/cron-job/schedule.ts';
import type { KubeObject } from '../../store/types.ts';
import { recordAt, textAt } from './members.ts';
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
