import { parseDuration } from '@updraft/gitlab-ci';

/** GitLab's default when neither job nor project says otherwise. */
export const JOB_TIMEOUT_SECONDS = 3600;
const AFTER_SCRIPT_SECONDS = 300;

export interface Timeouts {
  /** Of the whole job but after_script. */
  readonly jobSeconds: number;
  /** Of before_script and script together (RUNNER_SCRIPT_TIMEOUT). */
  readonly scriptSeconds: number;
  readonly afterScriptSeconds: number;
  /** What was asked for and cannot be given. */
  readonly warnings: readonly string[];
}

/** How long the parts of a job may take. */
export function timeoutsOf(
  jobSeconds: number | undefined,
  values: Readonly<Record<string, string>>,
): Timeouts {
  const warnings: string[] = [];
  const whole = jobSeconds ?? JOB_TIMEOUT_SECONDS;
  const asked = (name: string, fallback: number, most: number): number => {
    const text = values[name];
    if (text === undefined || text === '') return fallback;
    const seconds = parseDuration(text);
    if (seconds === undefined || seconds <= 0)
      warnings.push(`${name}: ${text} is no duration; it is ignored`);
    else if (seconds > most) warnings.push(`${name}: ${text} is longer than the job may take; it is ignored`);
    else return seconds;
    return fallback;
  };
  return {
    jobSeconds: whole,
    scriptSeconds: asked('RUNNER_SCRIPT_TIMEOUT', whole, whole),
    afterScriptSeconds: asked('RUNNER_AFTER_SCRIPT_TIMEOUT', AFTER_SCRIPT_SECONDS, whole),
    warnings,
  };
}
