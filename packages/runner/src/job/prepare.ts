import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '@updraft/kit';
import type { Undo } from '@updraft/kit';
import { expandAsRunner } from '@updraft/gitlab-ci';
import type { ImageRequest } from '@updraft/gitlab-ci';
import type { Execution } from './execution.ts';
import { pulledImage } from './elsewhere/plan.ts';
import type { JobLog } from './log.ts';
import { timeoutsOf } from './timeouts.ts';
import type { Timeouts } from './timeouts.ts';
import { jobEnvironment, writeFileVariables } from './variables.ts';
import type { JobEnvironment, JobPlace } from './variables.ts';
import { makeWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';
import type { JobInput, ResolvedImage } from '../ports.ts';

/** A job before its first process: folders, variables and image are there; the commit's files are not yet shown. */
export interface Prepared {
  readonly workspace: Workspace;
  readonly environment: JobEnvironment;
  readonly timeouts: Timeouts;
  readonly place: JobPlace;
  readonly image: ResolvedImage | undefined;
  readonly log: JobLog;
}

export async function prepare(execution: Execution, log: JobLog, undo: Undo): Promise<Prepared> {
  const { config } = execution;
  const input = await withCluster(execution);
  const jobs = path.join(config.dir, 'jobs');
  const dir = path.join(jobs, `${input.runId}-${input.jobId}-${randomBytes(3).toString('hex')}`);
  const place = placeOf(execution, dir);
  const environment = jobEnvironment(input, place, execution.incoming.dotenv);
  log.addSecrets(environment.secrets);
  const timeouts = timeoutsOf(input.job.timeoutSeconds, environment.values);
  for (const warning of timeouts.warnings) log.warning(warning);
  noteFeatureFlags(environment.values, log);
  const image = place.onHost ? undefined : await resolveImage(execution, environment, log);
  // Scripts and secrets lie below: nobody else's to read.
  await mkdir(jobs, { recursive: true, mode: 0o700 });
  const workspace = await makeWorkspace(dir, projectFolder(execution));
  undo.add(() => workspace.remove());
  await writeFileVariables(place, environment.files);
  return { workspace, environment, timeouts, place, image, log };
}

/** The job with the cluster's address and credentials as they are now; what the user's settings say wins. */
async function withCluster({ config, input }: Execution): Promise<JobInput> {
  const { request } = input;
  if (request.cluster === undefined) return input;
  const variables = await config.clusters.variables(request.cluster);
  return {
    ...input,
    request: { ...request, projectVariables: [...variables, ...request.projectVariables] },
  };
}

function placeOf({ config, input }: Execution, dir: string): JobPlace {
  const onHost = input.job.image === undefined || input.request.executor === 'host';
  const buildsDir = onHost ? dir : '/builds';
  const folder = projectFolder({ input });
  const projectDir = `${buildsDir}/${folder}`;
  return {
    buildsDir,
    projectDir,
    temporaryDir: { host: path.join(dir, `${folder}.tmp`), inside: `${projectDir}.tmp` },
    startedAt: config.clock.now(),
    token: randomBytes(20).toString('hex'),
    onHost,
  };
}

/** `group/project`, whatever the address of the repository is made of. */
function projectFolder({ input }: Pick<Execution, 'input'>): string {
  const parts = input.request.facts.projectPath.split('/').filter((part) => !['', '.', '..'].includes(part));
  return parts.join('/') || 'project';
}

const FEATURE_FLAG = /^FF_[A-Z0-9_]+$/;
/** What Updraft does by these, or always does. */
const KNOWN_FLAGS: ReadonlySet<string> = new Set([
  'FF_ENABLE_BASH_EXIT_CODE_CHECK',
  'FF_NETWORK_PER_BUILD',
  'FF_USE_NEW_BASH_EVAL_STRATEGY',
]);

function noteFeatureFlags(values: Readonly<Record<string, string>>, log: JobLog): void {
  const flags = Object.keys(values).filter(
    (key) => FEATURE_FLAG.test(key) && !KNOWN_FLAGS.has(key) && values[key] === 'true',
  );
  if (flags.length > 0)
    log.line(`NOTE: flags of GitLab's runner that change nothing here: ${flags.join(', ')}`);
}

async function resolveImage(
  execution: Execution,
  environment: JobEnvironment,
  log: JobLog,
): Promise<ResolvedImage | undefined> {
  const request = execution.input.job.image;
  if (request === undefined) return undefined;
  const name = imageName(request, environment);
  log.line(`Using the image ${name}`);
  const image = await findImage(execution, { ...request, name }, { environment, log });
  for (const note of image.notes) log.line(`NOTE: ${note}`);
  return image;
}

/** As the job's variables make it. @throws Fault IMAGE_NAME_EMPTY */
export function imageName(request: ImageRequest, environment: JobEnvironment): string {
  const name = expandAsRunner(request.name, environment.values);
  if (name !== '') return name;
  throw new Fault('IMAGE_NAME_EMPTY', `image: ${request.name} is empty once its variables are expanded`);
}

/** The image of a job or a service, by its expanded name. */
export function findImage(
  { config, input, signal }: Execution,
  request: ImageRequest,
  { environment, log }: { environment: JobEnvironment; log: JobLog },
): Promise<ResolvedImage> {
  if (input.request.executor === 'kubernetes') return Promise.resolve(pulledImage(request));
  const resolving = config.images.resolve(request.name, {
    policy: request.pullPolicy?.[0] ?? 'if-not-present',
    variables: environment.values,
    onLog: (text) => log.line(text),
    signal,
  });
  return orAborted(resolving, signal);
}

/** What takes long and cannot be ended goes on without the job that asked for it. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('canceled'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const STRATEGIES: ReadonlySet<string> = new Set(['', 'clone', 'fetch', 'none', 'empty']);

/** Shows the commit's files as GIT_STRATEGY and GIT_CHECKOUT ask; submodules and depth are the source's to honour. */
export async function showFiles(execution: Execution, prepared: Prepared): Promise<void> {
  const { environment, image, workspace, log } = prepared;
  const strategy = environment.values['GIT_STRATEGY'] ?? '';
  if (!STRATEGIES.has(strategy)) {
    throw new Fault('GIT_STRATEGY_UNKNOWN', `GIT_STRATEGY: ${strategy} is none that GitLab knows`, {
      next: 'Use clone, fetch, none or empty.',
    });
  }
  if (strategy === 'none' || strategy === 'empty') return;
  const { facts, projectDir, workTree } = execution.input.request;
  const checkout = await execution.config.checkouts.folder(
    facts,
    projectDir,
    isForeignUser(execution, image),
    {
      ...(workTree ? { workTree } : {}),
      variables: environment.values,
      onNote: (note) => log.line(`NOTE: ${note}`),
    },
  );
  await workspace.show(checkout, environment.values['GIT_CHECKOUT'] === 'false' ? 'git' : undefined);
}

/** Images that do not run as root get files that everyone may write, as GitLab's runner gives them. */
function isForeignUser({ input }: Execution, image: ResolvedImage | undefined): boolean {
  const user = image ? (input.job.image?.user ?? image.image.config.config?.User ?? '') : '';
  return user !== '' && !/^(0|root)(:|$)/.test(user);
}
