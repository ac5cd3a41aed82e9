import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault, timestamp } from '@updraft/kit';
import { jobVariables } from '@updraft/gitlab-ci';
import type { Variable } from '@updraft/gitlab-ci';
import { fileSecrets, requireSecrets } from './secrets.ts';
import { JOB_TIMEOUT_SECONDS } from './timeouts.ts';
import type { JobInput } from '../ports.ts';

/** Everything a job's shell sees, expanded; and the values that must not be seen in its log. */
export interface JobEnvironment {
  readonly values: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

export interface JobPlace {
  /** The folder above the project's namespace, as the job sees it. */
  readonly buildsDir: string;
  /** CI_PROJECT_DIR as the job sees it. */
  readonly projectDir: string;
  readonly temporaryDir: { readonly host: string; readonly inside: string };
  readonly startedAt: number;
  readonly token: string;
  /** A plain process of this machine, not a container. */
  readonly onHost: boolean;
}

/** Names of variables whose values are secret whether or not someone marked them masked. */
const ALWAYS_SECRET = /(_|^)(PASSWORD|TOKEN|SECRET|PRIVATE_KEY|KEY_DATA)$/;

/**
 * The job's variables by GitLab's precedence (gitlab-ci) and those only the runner knows. Variables of type file hold
 * the path of their file, which `writeFileVariables` makes.
 * @throws Fault SECRET_MISSING, VARIABLE_UNUSABLE
 */
export function jobEnvironment(
  input: JobInput,
  place: JobPlace,
  dotenv: Readonly<Record<string, string>>,
): JobEnvironment & { readonly files: Readonly<Record<string, string>> } {
  const { request, job } = input;
  const extra: Variable[] = [
    ...request.projectVariables,
    ...Object.entries(dotenv).map(([key, value]): Variable => ({ key, value, raw: true, source: 'dotenv' })),
    ...runnerVariables(input, place),
  ];
  const values: Record<string, string> = {};
  const files: Record<string, string> = {};
  const secrets: string[] = [place.token];
  const asFile = fileSecrets(job);
  const required = new Set((job.requiredSecrets ?? []).map(({ name }) => name));
  const pathOf = ({ key, file }: Variable): string | undefined =>
    (file === true || asFile.has(key)) && isFileName(key) ? `${place.temporaryDir.inside}/${key}` : undefined;
  for (const variable of jobVariables(request.pipeline, job, extra, pathOf)) {
    const { key, value } = variable;
    requireUsable(key, value);
    const file = pathOf(variable);
    values[key] = file ?? value;
    if (file !== undefined) files[key] = value;
    if (variable.masked || required.has(key) || ALWAYS_SECRET.test(key)) secrets.push(value);
  }
  requireSecrets(job, values);
  return { values, secrets, files };
}

/** A variable of type file whose name is no name of a file stays a plain one. */
const isFileName = (key: string): boolean => /^[\w-][\w.-]*$/.test(key);

function requireUsable(key: string, value: string): void {
  if (key !== '' && !key.includes('=') && !key.includes('\0') && !value.includes('\0')) return;
  throw new Fault('VARIABLE_UNUSABLE', `no process can be given the variable ${JSON.stringify(key)}`, {
    next: 'Names must not be empty nor hold "="; neither names nor values can hold the character NUL.',
  });
}

/** Puts the values of variables of type file into the job's temporary folder. */
export async function writeFileVariables(
  place: JobPlace,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await Promise.all(
    Object.entries(files).map(([key, value]) =>
      writeFile(path.join(place.temporaryDir.host, key), value, { mode: 0o644 }),
    ),
  );
}

/** What only some pipelines have: those of a project with a server, and those with a name. */
function addresses({ request, jobId, runId }: JobInput): Record<string, string> {
  const { facts, pipeline } = request;
  const { projectUrl } = facts;
  return {
    ...(pipeline.name === undefined ? {} : { CI_PIPELINE_NAME: pipeline.name }),
    ...(projectUrl === undefined
      ? {}
      : {
          CI_JOB_URL: `${projectUrl}/-/jobs/${jobId}`,
          CI_PIPELINE_URL: `${projectUrl}/-/pipelines/${runId}`,
        }),
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function runnerVariables(input: JobInput, place: JobPlace): readonly Variable[] {
  const { job, jobId, runId, request } = input;
  const values: Record<string, string> = {
    CI_PROJECT_DIR: place.projectDir,
    CI_BUILDS_DIR: place.buildsDir,
    CI_JOB_ID: String(jobId),
    CI_JOB_TOKEN: place.token,
    CI_JOB_STARTED_AT: timestamp(place.startedAt),
    CI_JOB_TIMEOUT: String(job.timeoutSeconds ?? JOB_TIMEOUT_SECONDS),
    CI_JOB_STATUS: 'running',
    CI_PIPELINE_ID: String(runId),
    CI_PIPELINE_IID: String(runId),
    CI_CONCURRENT_ID: '0',
    CI_CONCURRENT_PROJECT_ID: '0',
    CI_RUNNER_ID: '1',
    CI_RUNNER_DESCRIPTION: 'updraft',
    CI_RUNNER_TAGS: JSON.stringify(job.tags),
    CI_RUNNER_EXECUTABLE_ARCH: `linux/${ARCHITECTURES[process.arch] ?? process.arch}`,
    [place.onHost ? 'CI_SHARED_ENVIRONMENT' : 'CI_DISPOSABLE_ENVIRONMENT']: 'true',
    CI_RUNNER_SHORT_TOKEN: 'updraft',
    CI_REPOSITORY_URL: `file://${request.projectDir}`,
    ...addresses(input),
  };
  return Object.entries(values).map(([key, value]) => ({ key, value, raw: true, source: 'predefined' }));
}
