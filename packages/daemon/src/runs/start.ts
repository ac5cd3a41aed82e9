import type { CommitFacts, Pipeline, PipelineResult, Problem } from '@updraft/gitlab-ci';
import { readTree, workTreeKey } from '@updraft/git';
import { createProjectPipeline, readProject } from '@updraft/project';
import type { Project, ProjectSelection } from '@updraft/project';
import type { ProblemView, StartRun } from '@updraft/control';
import type { RunRequest } from '@updraft/runner';
import type { OtherClusters, Target } from '../clusters/other-clusters.ts';
import { placeProject } from '../clusters/place.ts';
import type { ClusterChoice } from '../clusters/place.ts';
import { RequestError } from '../server/router.ts';
import { rememberProject } from './children.ts';
import { jobsNamed } from './named-jobs.ts';

export interface Prepared {
  readonly request: RunRequest;
  readonly problems: readonly ProblemView[];
}

export interface PrepareOptions {
  readonly now: number;
  readonly home: string;
  readonly offline: boolean;
  readonly choice: ClusterChoice;
  readonly clusters: Pick<OtherClusters, 'target' | 'ownTarget'>;
  /** Instead of what the repository says: for environments whose branch is gone. */
  readonly facts?: CommitFacts;
}

/**
 * From what the user asked for to a pipeline that can run.
 * @throws RequestError CONFIGURATION_INVALID with every problem, NOTHING_TO_RUN, JOB_UNKNOWN, EXECUTOR_UNSUPPORTED
 */
export async function prepareRun(asked: StartRun, options: PrepareOptions): Promise<Prepared> {
  if (asked.executor === 'docker') {
    throw new RequestError(
      400,
      'EXECUTOR_UNSUPPORTED',
      'there is no executor docker here: no Docker is needed',
      {
        next: 'Use --executor runc (default), host, or kubernetes with --kubeconfig FILE.',
      },
    );
  }
  const notes: ProblemView[] = [];
  const target = await targetOf(asked, options);
  const read = await projectFor(asked, options, (note) => notes.push(fetched(note)));
  const { project, cluster, requireComplete } = await placeProject(read, target, options.choice);
  const { pipeline, problems } = validPipeline(
    await createProjectPipeline(project, await override(options, project)),
  );
  const chosen = chooseJobs(pipeline, asked);
  requireComplete(chosen.pipeline);
  const paths = project.uncommitted;
  const request: RunRequest = {
    projectDir: project.dir,
    facts: options.facts ?? project.facts,
    pipeline: chosen.pipeline,
    source: project.request.source ?? 'push',
    play: chosen.named,
    projectVariables: project.request.projectVariables ?? [],
    pipelineVariables: project.request.pipelineVariables ?? [],
    executor: executorOf(asked),
    autoCancel: isWholePush(asked, options) && asked.autoCancel !== false,
    ...given({ omitted: chosen.omitted, workTree: await workTreeOf(project), cluster }),
  };
  rememberProject(request, project);
  return { request, problems: [...notes, ...problems, ...(paths ? [uncommitted(paths)] : [])] };
}

const executorOf = ({ executor }: StartRun): RunRequest['executor'] =>
  executor === 'host' || executor === 'kubernetes' ? executor : 'pods';

/** The cluster that was named; undefined: the project's own variables decide. @throws RequestError, PodsFault */
async function targetOf(
  { executor, kubeconfig, context, clusterEnvironment }: StartRun,
  { clusters }: PrepareOptions,
): Promise<Target | undefined> {
  if (kubeconfig !== undefined) return clusters.target(kubeconfig, context, clusterEnvironment);
  if (context === undefined && executor === 'kubernetes') return clusters.ownTarget();
  if (context === undefined) return undefined;
  throw new RequestError(400, 'KUBECONFIG_MISSING', `a context (${context}) is chosen from a kubeconfig`, {
    next: 'Name it: --kubeconfig FILE.',
  });
}

/** Only a pipeline that GitLab would create for a new commit makes earlier ones outdated. */
const isWholePush = ({ jobs }: StartRun, { facts }: PrepareOptions): boolean =>
  jobs.length === 0 && facts === undefined;

async function workTreeOf({ dir, uncommitted: paths }: Project): Promise<RunRequest['workTree']> {
  return paths && { paths, key: await workTreeKey(dir, paths) };
}

function projectFor(
  asked: StartRun,
  options: PrepareOptions,
  onNote: (note: string) => void,
): Promise<Project> {
  const { ref, tag, source, target, compareTo, configPath, committed, inputs } = asked;
  const at = options.facts ? { ref: options.facts.sha, committed: true } : {};
  const selection: ProjectSelection = {
    dir: asked.projectDir,
    variables: asked.variables,
    ...given({ ref, tag, source, target, compareTo, configPath, committed, inputs }),
    ...at,
  };
  const { now, home, offline } = options;
  return readProject(selection, {
    now,
    home,
    offline,
    environment: asked.environment ?? {},
    ...given({ userHome: asked.environment?.['HOME'] }),
    onNote,
  });
}

function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

async function override({ facts }: PrepareOptions, project: Project): Promise<object> {
  if (!facts) return {};
  return { request: { facts, files: await readTree(project.dir, facts.sha) } };
}

/** Such as: a cached file was taken because its server did not answer. */
const fetched = (message: string): ProblemView => ({ code: 'include-note', severity: 'warning', message });

function uncommitted(paths: readonly string[]): ProblemView {
  const [first = '', ...rest] = paths;
  const which =
    rest.length === 0
      ? `a change that is not committed is part of this run (${first})`
      : `${paths.length} changes that are not committed are part of this run (${first}, …)`;
  return {
    code: 'uncommitted-changes',
    severity: 'warning',
    message: `${which}; --committed runs the commit alone`,
  };
}

/** The pipeline when there is one to run; all that is wrong otherwise. */
function validPipeline(result: PipelineResult): { pipeline: Pipeline; problems: readonly ProblemView[] } {
  const problems = result.problems.map(problemView);
  if (result.problems.some((problem) => problem.severity === 'error')) {
    throw new RequestError(400, 'CONFIGURATION_INVALID', 'the pipeline’s configuration is not valid', {
      problems,
    });
  }
  if (result.pipeline) return { pipeline: result.pipeline, problems };
  const why = result.emptyBecause ?? 'it has no jobs';
  throw new RequestError(400, 'NOTHING_TO_RUN', `this commit gets no pipeline: ${why}`, {
    next: 'updraft list --ref BRANCH shows which jobs a branch gets.',
    problems,
  });
}

interface Chosen {
  readonly pipeline: Pipeline;
  /** By their full names, each once. */
  readonly named: readonly string[];
  readonly omitted?: NonNullable<RunRequest['omitted']>;
}

/** Only the named jobs and, over any number of steps, what they need. */
function chooseJobs(whole: Pipeline, asked: StartRun): Chosen {
  if (asked.jobs.length === 0) return { pipeline: whole, named: [] };
  const named = [...new Set(asked.jobs.flatMap((name) => requireJobs(whole, name)))];
  const wanted = new Set(named);
  const byName = new Map(whole.jobs.map((job) => [job.name, job]));
  if (asked.needs !== false) {
    // A set gives what is added while it is gone through.
    for (const name of wanted) for (const need of byName.get(name)?.needs ?? []) wanted.add(need.job);
  }
  const jobs = whole.jobs.filter((job) => wanted.has(job.name));
  const stages = whole.stages.filter((stage) => jobs.some((job) => job.stage === stage));
  const others = whole.jobs.filter((job) => !wanted.has(job.name));
  return {
    pipeline: { ...whole, jobs, stages },
    named,
    omitted: { stages: whole.stages, jobs: others.map(({ name, stage }) => ({ name, stage })) },
  };
}

function requireJobs({ jobs }: Pipeline, name: string): readonly string[] {
  const names = jobs.map((job) => job.name);
  const found = jobsNamed(names, name);
  if (found.length > 0) return found;
  throw new RequestError(400, 'JOB_UNKNOWN', `this pipeline has no job ${name}`, {
    next: `Its jobs: ${names.join(', ')}.`,
  });
}

const problemView = (problem: Problem): ProblemView => ({
  code: problem.code,
  severity: problem.severity,
  message: problem.message,
  ...given({
    file: problem.file,
    line: problem.line,
    column: problem.column,
    suggestion: problem.suggestion,
    includedFrom: problem.includedFrom,
  }),
});
