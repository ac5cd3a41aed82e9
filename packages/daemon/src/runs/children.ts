import { Fault } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { Answer, Problem, Question } from '@updraft/gitlab-ci';
import { createProjectPipeline, readProject } from '@updraft/project';
import type { Project } from '@updraft/project';
import type { ChildPipelines, ChildRequest, RunRequest } from '@updraft/runner';

interface Settings {
  readonly home: string;
  readonly offline: boolean;
}

/** The project that a run was made of, as long as this daemon knows it. */
const projects = new WeakMap<RunRequest, Project>();

export const rememberProject = (request: RunRequest, project: Project): void =>
  void projects.set(request, project);

/** Child pipelines: of the commit, the work tree and the settings of the run that asks for them. */
export function createChildPipelines(clock: Clock, settings: Settings): ChildPipelines {
  return {
    async prepare(child) {
      const { parent } = child;
      const project = projects.get(parent) ?? (await projectAgain(child, { ...settings, now: clock.now() }));
      const { pipeline, problems, emptyBecause } = await createProjectPipeline(project, {
        request: {
          facts: parent.facts,
          source: 'parent_pipeline',
          child: child.includes,
          pipelineVariables: child.variables,
          projectVariables: parent.projectVariables,
          createdAt: new Date(clock.now()).toISOString(),
        },
        answer: (question) => fromArtifact(question, child),
      });
      const errors = problems.filter((problem) => problem.severity === 'error');
      if (errors.length > 0) throw invalid(errors);
      if (!pipeline) {
        throw new Fault('CHILD_EMPTY', `the child pipeline has no jobs: ${emptyBecause ?? 'none is in it'}`);
      }
      const { projectDir, facts, projectVariables, executor, workTree, cluster } = parent;
      const request: RunRequest = {
        projectDir,
        facts,
        pipeline,
        source: 'parent_pipeline',
        play: [],
        projectVariables,
        pipelineVariables: child.variables,
        executor,
        ...(workTree ? { workTree } : {}),
        ...(cluster ? { cluster } : {}),
      };
      rememberProject(request, project);
      return request;
    },
  };
}

/** Of a run that an earlier daemon has made: the same commit, and the work tree as it is now. */
function projectAgain(
  { parent, signal }: ChildRequest,
  settings: Settings & { now: number },
): Promise<Project> {
  const commit = parent.workTree ? {} : { ref: parent.facts.sha, committed: true };
  const selection = { dir: parent.projectDir, variables: {}, ...commit };
  return readProject(selection, { ...settings, signal });
}

async function fromArtifact(question: Question, child: ChildRequest): Promise<Answer | undefined> {
  if (question.kind !== 'artifact') return undefined;
  const { job, path } = question;
  const text = await child.artifact(job, path);
  if (text !== undefined) return { kind: 'file', text, name: `${job}:${path}` };
  return {
    kind: 'unavailable',
    message: `the artifacts of ${job} hold no file ${path}`,
    next: `Name it under artifacts:paths of ${job}, and ${job} in the needs of the job that triggers.`,
  };
}

function invalid(errors: readonly Problem[]): Fault {
  const [first] = errors;
  const where = [first?.file, first?.line, first?.column].filter((part) => part !== undefined).join(':');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const message = `the child pipeline is not valid: ${where === '' ? '' : `${where}: `}${first?.message}${more}`;
  const rest = errors.slice(1).map((each) => `${each.file ?? ''}:${each.line ?? ''}: ${each.message}`);
  return new Fault('CHILD_INVALID', message, rest.length === 0 ? {} : { next: rest.join('\n') });
}
