import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { Fault, Undo, messageOf } from '@updraft/kit';
import { expandVariables } from '@updraft/gitlab-ci';
import type { Pod } from '@updraft/pods';
import { collectArtifacts, restoreArtifacts } from './artifacts.ts';
import type { IncomingArtifacts } from './artifacts.ts';
import { restoreCaches, saveCaches } from './cache.ts';
import { jobCoverage } from './coverage.ts';
import { containerEnv } from './image.ts';
import { JobLog } from './log.ts';
import { statusWord } from './outcome.ts';
import type { JobResult, Outcome } from './outcome.ts';
import { runShell } from './shell.ts';
import type { ShellPlace } from './shell.ts';
import { serviceNames, startService } from './services.ts';
import { jobEnvironment } from './variables.ts';
import type { JobEnvironment, JobPlace } from './variables.ts';
import { makeWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';
import type { JobInput, ResolvedImage, RunnerConfig } from '../ports.ts';

/** GitLab's default when neither job nor project says otherwise. */
const DEFAULT_TIMEOUT_SECONDS = 3600;

export interface Execution {
  readonly config: RunnerConfig;
  readonly input: JobInput;
  readonly incoming: IncomingArtifacts;
  /** Where this job's archive and reports go. */
  readonly outputDir: string;
  /** Hears the masked log as it grows. */
  readonly onLog: (text: string) => void;
  /** The user cancels. */
  readonly signal: AbortSignal;
}

interface Prepared {
  readonly workspace: Workspace;
  readonly environment: JobEnvironment;
  readonly place: JobPlace;
  readonly image: ResolvedImage | undefined;
  readonly log: JobLog;
}

/**
 * Runs one job from checkout to reports. Whatever happens, the outcome is a value and nothing stays behind: no pod,
 * no mount, no folder but `outputDir`.
 */
export async function executeJob(execution: Execution): Promise<JobResult> {
  const undo = new Undo();
  const log = new JobLog([], execution.onLog);
  try {
    return await attempt(execution, log, undo);
  } catch (error) {
    return couldNotRun(execution, log, error);
  } finally {
    log.flush();
    await undo.close().catch((error: unknown) => {
      const facts = { job: execution.input.job.name, error: messageOf(error) };
      execution.config.logger.log('error', 'a job left something behind', facts);
    });
  }
}

function couldNotRun(execution: Execution, log: JobLog, error: unknown): JobResult {
  if (execution.signal.aborted) return withOutcome({ kind: 'canceled' });
  const message = messageOf(error);
  const next = error instanceof Fault ? error.next : undefined;
  log.line(`ERROR: ${message}`);
  if (next !== undefined) log.line(next);
  const why =
    error instanceof Fault && error.code.startsWith('IMAGE_')
      ? 'image_pull_failure'
      : 'runner_system_failure';
  return withOutcome({ kind: 'couldNotRun', why, message });
}

const withOutcome = (outcome: Outcome): JobResult => ({
  outcome,
  coverage: undefined,
  notes: [],
  dotenv: {},
  environmentUrl: undefined,
});

async function attempt(execution: Execution, log: JobLog, undo: Undo): Promise<JobResult> {
  const prepared = await prepare(execution, log, undo);
  const { job } = execution.input;
  await restoreCaches(execution, prepared.workspace, prepared.environment.values, log);
  await restoreArtifacts(execution.incoming, prepared.workspace, log);
  const outcome = await runScripts(execution, prepared, undo);
  const left = await collectArtifacts(execution, { ...prepared, outcome });
  await saveCaches(execution, prepared.workspace, { values: prepared.environment.values, outcome, log });
  const url = job.environment?.url;
  return {
    outcome,
    coverage: jobCoverage(job.coverage, log.text),
    notes: prepared.image?.notes ?? [],
    dotenv: left.dotenv,
    environmentUrl:
      url === undefined
        ? undefined
        : expandVariables(url, { ...prepared.environment.values, ...left.dotenv }),
  };
}

async function prepare(execution: Execution, log: JobLog, undo: Undo): Promise<Prepared> {
  const { config, input } = execution;
  const startedAt = config.clock.now();
  const dir = path.join(
    config.dir,
    'jobs',
    `${input.runId}-${input.jobId}-${randomBytes(3).toString('hex')}`,
  );
  const onHost = input.job.image === undefined || input.request.executor === 'host';
  const projectDir = onHost ? path.join(dir, 'project') : `/builds/${input.request.facts.projectPath}`;
  const place: JobPlace = {
    projectDir,
    temporaryDir: { host: path.join(dir, 'project.tmp'), inside: `${projectDir}.tmp` },
    startedAt,
    token: randomBytes(20).toString('hex'),
    timeoutSeconds: input.job.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
  };
  await mkdir(place.temporaryDir.host, { recursive: true });
  const environment = await jobEnvironment(input, place, execution.incoming.dotenv);
  log.addSecrets(environment.secrets);
  const image = onHost ? undefined : await resolveImage(execution, environment, log);
  const checkout = await checkoutFor(execution, environment, image);
  const workspace = await makeWorkspace(dir, checkout);
  undo.add(() => workspace.remove());
  return { workspace, environment, place, image, log };
}

async function resolveImage(
  execution: Execution,
  environment: JobEnvironment,
  log: JobLog,
): Promise<ResolvedImage | undefined> {
  const request = execution.input.job.image;
  if (request === undefined) return undefined;
  const name = expandVariables(request.name, environment.values);
  if (name === '') {
    throw new Fault('IMAGE_NAME_EMPTY', `image: ${request.name} is empty once its variables are expanded`);
  }
  log.line(`Using the image ${name}`);
  const resolving = execution.config.images.resolve(name, {
    policy: request.pullPolicy?.[0] ?? 'if-not-present',
    credentials: environment.values['DOCKER_AUTH_CONFIG'],
    onLog: (text) => log.line(text),
    signal: execution.signal,
  });
  const resolved = await orAborted(resolving, execution.signal);
  for (const note of resolved.notes) log.line(`NOTE: ${note}`);
  return resolved;
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

/** Images that do not run as root get files that everyone may write, as GitLab's runner gives them. */
async function checkoutFor(
  execution: Execution,
  environment: JobEnvironment,
  image: ResolvedImage | undefined,
): Promise<string | undefined> {
  const strategy = environment.values['GIT_STRATEGY'];
  if (strategy === 'none' || strategy === 'empty') return undefined;
  const user = execution.input.job.image?.user ?? image?.image.config.config?.User ?? '';
  const open = user !== '' && !/^(0|root)(:|$)/.test(user);
  const { facts, projectDir } = execution.input.request;
  return execution.config.checkouts.folder(facts, projectDir, open);
}

async function runScripts(execution: Execution, prepared: Prepared, undo: Undo): Promise<Outcome> {
  const { job } = execution.input;
  const { environment, place, image, workspace, log } = prepared;
  const pod = await makePod(execution, image);
  undo.add(() => pod.remove());
  await startServices(execution, prepared, pod);
  const rootUpper = path.join(path.dirname(workspace.dir), 'root');
  await mkdir(rootUpper, { recursive: true });
  const tools = image?.needsTools
    ? await execution.config.tools.attach({
        name: job.name,
        projectDir: place.projectDir,
        hostProjectDir: workspace.dir,
        rootUpper,
        rootLayers: image.layers,
        timestampMs: Date.parse(execution.input.request.facts.timestamp),
        signal: execution.signal,
      })
    : undefined;
  if (tools) undo.add(() => tools.close());
  const base = image ? containerEnv(image.image.config) : {};
  const shell: ShellPlace = {
    pod,
    image,
    request: job.image,
    rootUpper,
    workspace,
    projectDir: place.projectDir,
    temporaryDir: place.temporaryDir,
    mounts: tools?.mounts ?? [],
    env: { ...base, ...environment.values, ...safeDirectory(place.projectDir), ...tools?.env },
    log,
    clock: execution.config.clock,
  };
  return scriptAndAfterScript(execution, shell, place.timeoutSeconds);
}

/** git refuses a work tree of another user's; the job's checkout is meant to be used by whoever the image runs as. */
const safeDirectory = (projectDir: string): Record<string, string> => ({
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: projectDir,
});

async function scriptAndAfterScript(
  execution: Execution,
  shell: ShellPlace,
  timeoutSeconds: number,
): Promise<Outcome> {
  const { job } = execution.input;
  const commands = [...job.beforeScript, ...job.script];
  const outcome = await runShell(shell, {
    name: 'script',
    commands,
    timeoutSeconds,
    signal: execution.signal,
  });
  if (job.afterScript.length === 0) return outcome;
  shell.log.line('Running after_script');
  const status = { CI_JOB_STATUS: statusWord(outcome) };
  const after = await runShell(
    { ...shell, env: { ...shell.env, ...status } },
    { name: 'after-script', commands: job.afterScript, timeoutSeconds: 300, signal: undefined },
  );
  if (after.kind !== 'passed')
    shell.log.line('WARNING: after_script failed; it does not change the job’s state');
  return outcome;
}

async function makePod(execution: Execution, image: ResolvedImage | undefined): Promise<Pod> {
  const { config, input } = execution;
  const runtime = image ? config.runtime : config.hostRuntime;
  const names = input.job.services.flatMap((service) => serviceNames(service));
  return runtime.createPod({
    name: `job-${input.runId}-${input.jobId}-${randomBytes(3).toString('hex')}`,
    hostname: `runner-job-${input.jobId}`,
    labels: { 'updraft/run': String(input.runId), 'updraft/job': input.job.name },
    hosts: Object.fromEntries(names.map((name) => [name, '127.0.0.1'])),
    gatewayPortsOnLoopback: config.gatewayPorts,
  });
}

async function startServices(execution: Execution, prepared: Prepared, pod: Pod): Promise<void> {
  const { job } = execution.input;
  for (const [index, service] of job.services.entries()) {
    const name = expandVariables(service.name, prepared.environment.values);
    prepared.log.line(`Starting the service ${name}`);
    const resolved = await execution.config.images.resolve(name, {
      policy: service.pullPolicy?.[0] ?? 'if-not-present',
      credentials: prepared.environment.values['DOCKER_AUTH_CONFIG'],
      onLog: (text) => prepared.log.line(text),
      signal: execution.signal,
    });
    await startService(pod, { ...service, name }, resolved, {
      index,
      env: prepared.environment.values,
      log: prepared.log,
      clock: execution.config.clock,
      signal: execution.signal,
    });
  }
}
