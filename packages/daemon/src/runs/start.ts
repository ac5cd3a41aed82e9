import { createPipeline } from '@updraft/gitlab-ci';
import type { CommitFacts, Pipeline, PipelineResult, Problem, Variable } from '@updraft/gitlab-ci';
import { findRepository, isDirty, readCommit, readTree } from '@updraft/git';
import type { ProblemView, StartRun } from '@updraft/control';
import type { RunRequest } from '@updraft/runner';
import { RequestError } from '../server/router.ts';

export interface Prepared {
  readonly request: RunRequest;
  readonly problems: readonly ProblemView[];
}

export interface PrepareOptions {
  readonly now: number;
  readonly variablesFor: (projectPath: string) => readonly Variable[];
  /** Instead of what the repository says: for environments whose branch is gone. */
  readonly facts?: CommitFacts;
}

/**
 * From what the user asked for to a pipeline that can run.
 * @throws RequestError CONFIGURATION_INVALID with every problem, NOTHING_TO_RUN, JOB_UNKNOWN, EXECUTOR_UNSUPPORTED
 */
export async function prepareRun(asked: StartRun, options: PrepareOptions): Promise<Prepared> {
  if (asked.executor === 'docker' || asked.executor === 'kubernetes') {
    throw new RequestError(400, 'EXECUTOR_UNSUPPORTED', `the executor ${asked.executor} is not built yet`, {
      next: 'Use --executor runc (default) or host.',
    });
  }
  const projectDir = await findRepository(asked.projectDir);
  const facts = options.facts ?? (await readCommit(projectDir, selectionOf(asked)));
  const projectVariables = options.variablesFor(facts.projectPath);
  const source = asked.source ?? 'push';
  const result = createPipeline({
    facts,
    files: await readTree(projectDir, facts.sha),
    source,
    projectVariables,
    pipelineVariables: Object.entries(asked.variables).map(([key, value]) => ({
      key,
      value,
      source: 'pipeline',
    })),
    createdAt: new Date(options.now).toISOString(),
  });
  const isCheckedOut = asked.ref === undefined && asked.tag === undefined && options.facts === undefined;
  const uncommitted = isCheckedOut && (await isDirty(projectDir)) ? [UNCOMMITTED] : [];
  const executor = asked.executor === 'host' ? 'host' : 'pods';
  const { pipeline, problems } = validPipeline(result);
  return {
    problems: [...problems, ...uncommitted],
    request: {
      projectDir,
      facts,
      pipeline: selectJobs(pipeline, asked.jobs),
      source,
      play: asked.jobs,
      projectVariables,
      executor,
    },
  };
}

const UNCOMMITTED: ProblemView = {
  code: 'uncommitted-changes',
  severity: 'warning',
  message: 'the work tree has changes that are not committed: they are not part of this run',
};

const selectionOf = ({ ref, tag }: StartRun): { ref?: string; tag?: string } => ({
  ...(ref === undefined ? {} : { ref }),
  ...(tag === undefined ? {} : { tag }),
});

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

/** Only the named jobs and, over any number of steps, what they need. */
function selectJobs(pipeline: Pipeline, names: readonly string[]): Pipeline {
  if (names.length === 0) return pipeline;
  const wanted = new Set<string>();
  const add = (name: string) => {
    if (wanted.has(name)) return;
    const job = pipeline.jobs.find((candidate) => candidate.name === name);
    if (!job) return;
    wanted.add(name);
    for (const need of job.needs ?? []) add(need.job);
  };
  for (const name of names) {
    if (!pipeline.jobs.some((job) => job.name === name)) {
      throw new RequestError(400, 'JOB_UNKNOWN', `this pipeline has no job ${name}`, {
        next: `Its jobs: ${pipeline.jobs.map((job) => job.name).join(', ')}.`,
      });
    }
    add(name);
  }
  const jobs = pipeline.jobs.filter((job) => wanted.has(job.name));
  const stages = pipeline.stages.filter((stage) => jobs.some((job) => job.stage === stage));
  return { ...pipeline, jobs, stages };
}

const problemView = (problem: Problem): ProblemView => ({
  code: problem.code,
  severity: problem.severity,
  message: problem.message,
  ...(problem.file === undefined ? {} : { file: problem.file }),
  ...(problem.line === undefined ? {} : { line: problem.line }),
  ...(problem.column === undefined ? {} : { column: problem.column }),
  ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
});
