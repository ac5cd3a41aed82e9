import { findRepository, readCommit, readTree, readWorkTree, uncommittedPaths } from '@updraft/git';
import type { Commit } from '@updraft/git';
import type { CommitFacts, PipelineRequest, Variable } from '@updraft/gitlab-ci';
import { AnswerBook } from './answer-book.ts';
import { ProjectFault } from './faults.ts';
import type { Project, ProjectContext, ProjectSelection } from './pipeline.ts';
import { createSources } from './sources/sources.ts';

/**
 * Reads what a pipeline needs to know of a project, without asking a network: that happens when `answer` is called.
 * @throws GitFault for the repository, ProjectFault SELECTION_INVALID and VARIABLES_INVALID
 */
export async function readProject(selection: ProjectSelection, context: ProjectContext): Promise<Project> {
  const source = sourceOf(selection);
  const dir = await findRepository(selection.dir);
  const { isCheckedOut, ...commit } = await readCommit(dir, { ...selected(selection), source });
  const uncommitted = isCheckedOut && !selection.committed ? await changesOn(dir) : undefined;
  const facts = withUncommitted(commit, uncommitted);
  const files = uncommitted ? readWorkTree(dir, uncommitted) : readTree(dir, facts.sha);
  const request: PipelineRequest = {
    facts,
    files: await files,
    source,
    ...(selection.configPath === undefined ? {} : { configPath: selection.configPath }),
    pipelineVariables: Object.entries(selection.variables).map(([key, value]): Variable => ({
      key,
      value,
      source: 'pipeline',
    })),
    projectVariables: context.platformVariables?.(facts.projectPath) ?? [],
    createdAt: new Date(context.now).toISOString(),
  };
  const answers = new AnswerBook();
  const look = createSources({ dir, facts, uncommitted: uncommitted ?? [], context });
  return {
    dir,
    facts,
    request,
    uncommitted,
    variableOrigins: new Map(),
    answers,
    answer: (question) => answers.find(question, look),
  };
}

function sourceOf({ source, tag, ref, target }: ProjectSelection): string {
  if (tag !== undefined && ref !== undefined)
    throw contradiction('a tag and a branch', 'a branch or for a tag');
  const chosen = source ?? (target === undefined ? 'push' : MERGE_REQUEST);
  if (chosen !== MERGE_REQUEST && target !== undefined) {
    throw contradiction(`a target branch and the source ${chosen}`, 'a merge request, or it has no target');
  }
  if (chosen === MERGE_REQUEST && tag !== undefined) {
    throw contradiction('a tag and a merge request', 'a tag or for a merge request');
  }
  return chosen;
}

const MERGE_REQUEST = 'merge_request_event';

const contradiction = (what: string, why: string): ProjectFault =>
  new ProjectFault('SELECTION_INVALID', `${what} were both asked for`, { next: `A pipeline is for ${why}.` });

function selected({ ref, tag, target, compareTo }: ProjectSelection) {
  return {
    ...(ref === undefined ? {} : { ref }),
    ...(tag === undefined ? {} : { tag }),
    ...(target === undefined ? {} : { target }),
    ...(compareTo === undefined ? {} : { compareTo }),
  };
}

/** Undefined when the work tree is the commit: then nothing has to be copied, and nothing said. */
async function changesOn(dir: string): Promise<readonly string[] | undefined> {
  const paths = await uncommittedPaths(dir);
  return paths.length === 0 ? undefined : paths;
}

/** What is not committed yet has changed too, wherever there is something to compare with. */
function withUncommitted(
  commit: Omit<Commit, 'isCheckedOut'>,
  uncommitted: readonly string[] | undefined,
): CommitFacts {
  if (!commit.changedPaths || !uncommitted) return commit;
  return { ...commit, changedPaths: [...new Set([...commit.changedPaths, ...uncommitted])].toSorted() };
}
