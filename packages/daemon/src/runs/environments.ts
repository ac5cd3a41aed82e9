import type { CommitFacts } from '@updraft/gitlab-ci';
import { readCommit } from '@updraft/git';
import type { Cluster } from '@updraft/cluster';
import type { EnvironmentRecord, PipelineRun, Runner } from '@updraft/runner';
import { RequestError } from '../server/router.ts';
import { prepareRun } from './start.ts';
import type { PrepareOptions, Prepared } from './start.ts';

interface Context extends Omit<PrepareOptions, 'facts'> {
  readonly runner: Runner;
}

/** By name or slug, in the project if it is there, else the only one of that name on this machine. */
export function findEnvironment(runner: Runner, projectDir: string, name: string): EnvironmentRecord {
  const matches = runner.environments.list().filter((each) => each.name === name || each.slug === name);
  const own = matches.filter(
    (each) => projectDir === each.projectDir || projectDir.startsWith(`${each.projectDir}/`),
  );
  const candidates = own.length > 0 ? own : matches;
  const [found] = candidates;
  if (found && candidates.length === 1) return found;
  if (found) {
    throw new RequestError(409, 'ENVIRONMENT_AMBIGUOUS', `several projects have an environment ${name}`, {
      next: `Run it in one of: ${candidates.map((each) => each.projectDir).join(', ')}.`,
    });
  }
  throw new RequestError(404, 'ENVIRONMENT_UNKNOWN', `there is no environment ${name}`, {
    next: 'updraft env list shows them.',
  });
}

/** The stop job of an environment, for the commit that was deployed: its branch may be gone. */
export async function prepareStop(context: Context, record: EnvironmentRecord): Promise<Prepared> {
  if (record.state === 'stopped') {
    throw new RequestError(409, 'ENVIRONMENT_STOPPED', `${record.name} is stopped already`);
  }
  if (record.onStop === undefined) {
    throw new RequestError(409, 'ENVIRONMENT_HAS_NO_STOP', `${record.name} has no job that stops it`, {
      next: 'Give its deployment `environment: on_stop:` and a job with `action: stop`.',
    });
  }
  return prepareJob(context, record, record.onStop);
}

async function prepareJob(context: Context, record: EnvironmentRecord, job: string): Promise<Prepared> {
  const prepared = await prepareRun(
    { ...sameAs(record), jobs: [job], attached: false },
    { ...context, facts: await factsOf(record) },
  );
  // What the stop job needed has run when the environment was deployed.
  const { pipeline } = prepared.request;
  const jobs = pipeline.jobs.filter((each) => each.name === job).map((each) => ({ ...each, needs: [] }));
  return { ...prepared, request: { ...prepared.request, pipeline: { ...pipeline, jobs } } };
}

/** The cluster and the variables of the pipeline that deployed an environment. */
function sameAs({ projectDir, cluster, executor, variables = [] }: EnvironmentRecord) {
  const { kubeconfig, context } = cluster ?? {};
  return {
    projectDir,
    variables: Object.fromEntries(variables.map(({ key, value }) => [key, value])),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(executor === undefined ? {} : { executor }),
  };
}

async function factsOf(record: EnvironmentRecord): Promise<CommitFacts> {
  const facts = await readCommit(record.projectDir, { ref: record.sha });
  return { ...facts, branch: record.tag ? undefined : record.ref, tag: record.tag ? record.ref : undefined };
}

/** Deploys again what was there before the newest deployment: the earlier run's commit, its deployment job and needs. */
export async function prepareRollback(context: Context, record: EnvironmentRecord): Promise<Prepared> {
  const earlier = context.runner.runs
    .list()
    .find(
      (run) =>
        run.id < record.runId && run.projectDir === record.projectDir && deployed(run.jobs, record.name),
    );
  const job = earlier?.jobs.find((each) => each.environment === record.name && each.status === 'success');
  if (!earlier || !job) {
    throw new RequestError(409, 'NOTHING_BEFORE', `no deployment of ${record.name} from before is known`);
  }
  const facts = await factsOf({ ...record, sha: earlier.sha, ref: earlier.ref });
  return prepareRun({ ...sameAs(record), jobs: [job.name], attached: true }, { ...context, facts });
}

const deployed = (
  jobs: readonly { environment: string | undefined; status: string }[],
  name: string,
): boolean => jobs.some((job) => job.environment === name && job.status === 'success');

/**
 * A run may remove more than the environment that its stop job names: one whose namespace is gone after the run is
 * stopped, whatever its record says.
 */
export function noticeRemoved(
  { runner, cluster }: { readonly runner: Runner; readonly cluster: Cluster },
  run: PipelineRun,
): void {
  const { projectDir } = run.record;
  const present = runner.environments
    .list(projectDir)
    .filter((each) => each.state === 'available' && !each.cluster && cluster.hasNamespace(each.slug));
  const whenOver = async () => {
    await run.settled();
    for (const { name, slug } of present) {
      if (!cluster.hasNamespace(slug)) runner.environments.setState(projectDir, name, 'stopped');
    }
  };
  void whenOver();
}
