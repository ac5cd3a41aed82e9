import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { timestamp } from '@updraft/kit';
import { jobVariables } from '@updraft/gitlab-ci';
import type { Variable } from '@updraft/gitlab-ci';
import type { JobInput } from '../ports.ts';

/** Everything a job's shell sees, expanded; and the values that must not be seen in its log. */
export interface JobEnvironment {
  readonly values: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

export interface JobPlace {
  /** CI_PROJECT_DIR as the job sees it. */
  readonly projectDir: string;
  readonly temporaryDir: { readonly host: string; readonly inside: string };
  readonly startedAt: number;
  readonly token: string;
  readonly timeoutSeconds: number;
}

/** Names of variables whose values are secret whether or not someone marked them masked. */
const ALWAYS_SECRET = /(_|^)(PASSWORD|TOKEN|SECRET|PRIVATE_KEY|KEY_DATA)$/;

/**
 * The job's variables by GitLab's precedence (gitlab-ci), those only the runner knows, and file-type ones written to
 * the job's temporary folder.
 */
export async function jobEnvironment(
  input: JobInput,
  place: JobPlace,
  dotenv: Readonly<Record<string, string>>,
): Promise<JobEnvironment> {
  const { request, job } = input;
  const extra: Variable[] = [
    ...request.projectVariables,
    ...Object.entries(dotenv).map(([key, value]): Variable => ({ key, value, raw: true, source: 'dotenv' })),
    ...runnerVariables(input, place),
  ];
  const resolved = jobVariables(request.pipeline, job, extra);
  const values: Record<string, string> = {};
  const secrets: string[] = [place.token];
  for (const variable of resolved) {
    const { key, value } = variable;
    values[key] = variable.file ? await fileVariable(place, key, value) : value;
    if (variable.masked || ALWAYS_SECRET.test(key)) secrets.push(value);
  }
  return { values, secrets };
}

function runnerVariables(input: JobInput, place: JobPlace): readonly Variable[] {
  const { job, jobId, runId, request } = input;
  const values: Record<string, string> = {
    CI_PROJECT_DIR: place.projectDir,
    CI_BUILDS_DIR: path.posix.dirname(path.posix.dirname(place.projectDir)),
    CI_JOB_ID: String(jobId),
    CI_JOB_TOKEN: place.token,
    CI_JOB_STARTED_AT: timestamp(place.startedAt),
    CI_JOB_TIMEOUT: String(place.timeoutSeconds),
    CI_PIPELINE_ID: String(runId),
    CI_PIPELINE_IID: String(runId),
    CI_CONCURRENT_ID: '0',
    CI_CONCURRENT_PROJECT_ID: '0',
    CI_RUNNER_ID: '1',
    CI_RUNNER_DESCRIPTION: 'updraft',
    CI_RUNNER_TAGS: JSON.stringify(job.tags),
    CI_DISPOSABLE_ENVIRONMENT: 'true',
    CI_REPOSITORY_URL: `file://${request.projectDir}`,
  };
  return Object.entries(values).map(([key, value]) => ({ key, value, raw: true, source: 'predefined' }));
}

/** The variable holds the path of a file with its value (GitLab's type `file`). */
async function fileVariable(place: JobPlace, key: string, value: string): Promise<string> {
  await writeFile(path.join(place.temporaryDir.host, key), value, { mode: 0o644 });
  return `${place.temporaryDir.inside}/${key}`;
}
