import { findRepository, readCommit, readTree, readWorkTree, uncommittedPaths } from '@updraft/git';
import type { Commit } from '@updraft/git';
import type { CommitFacts, PipelineRequest, Variable } from '@updraft/gitlab-ci';
import { AnswerBook } from './answer-book.ts';
import { ProjectFault } from './faults.ts';
import type { Project, ProjectContext, ProjectSelection } from './pipeline.ts';
import { readSettings } from './settings.ts';
import type { ProjectSettings } from './settings.ts';
import { createSources } from './sources/sources.ts';
import { looksSecret, readUserVariables } from './variables/user-variables.ts';

/**
 * Reads what a pipeline needs to know of a project, without asking a network: that happens when `answer` is called.
 * @throws GitFault for the repository, ProjectFault SELECTION_INVALID and SETTINGS_INVALID
 */
export async function readProject(selection: ProjectSelection, context: ProjectContext): Promise<Project> {
  const source = sourceOf(selection);
  const dir = await findRepository(selection.dir);
  const [{ isCheckedOut, ...commit }, settings, changes] = await Promise.all([
    readCommit(dir, { ...selected(selection), source }),
    readSettings(dir),
    // Asked for before it is known whether it matters: it nearly always does, and takes longest.
    selection.committed || selection.tag !== undefined ? undefined : changesOn(dir),
  ]);
  const uncommitted = isCheckedOut ? changes : undefined;
  const facts: CommitFacts = {
    ...withUncommitted(commit, uncommitted, settings),
    ...(selection.scheduleDescription === undefined
      ? {}
      : { scheduleDescription: selection.scheduleDescription }),
  };
  const [files, user] = await Promise.all([
    uncommitted ? readWorkTree(dir, { sha: facts.sha, changed: uncommitted }) : readTree(dir, facts.sha),
    readUserVariables({ dir, ...context }, facts),
  ]);
  const request: PipelineRequest = {
    facts,
    files,
    source,
    ...(selection.configPath === undefined ? {} : { configPath: selection.configPath }),
    ...(selection.inputs === undefined ? {} : { inputs: selection.inputs }),
    pipelineVariables: Object.entries(selection.variables).map(pipelineVariable),
    projectVariables: [...(context.platformVariables?.(facts.projectPath) ?? []), ...user.variables],
    createdAt: new Date(context.now).toISOString(),
  };
  const answers = new AnswerBook();
  const look = createSources({ dir, facts, settings, uncommitted: uncommitted ?? [], context });
  return {
    dir,
    facts,
    request,
    uncommitted,
    variableOrigins: user.origins,
    answers,
    answer: (question) => answers.find(question, look),
  };
}

const pipelineVariable = ([key, value]: readonly [string, string]): Variable => ({
  key,
  value,
  source: 'pipeline',
  ...(looksSecret(key, value) ? { masked: true } : {}),
});

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

/** Files of the user's that lie beside the project's own: settings and secrets, which no job is to find. */
const PRIVATE = /^(?:\.updraft\/|\.gitlab-ci-local\/|\.gitlab-ci-local-(?:variables\.yml|env)$)/;

/** Undefined when the work tree is the commit: then nothing has to be copied, and nothing said. */
async function changesOn(dir: string): Promise<readonly string[] | undefined> {
  const paths = (await uncommittedPaths(dir)).filter((file) => !PRIVATE.test(file));
  return paths.length === 0 ? undefined : paths;
}

/** What is not committed yet has changed too, wherever there is something to compare with. */
function withUncommitted(
  commit: Omit<Commit, 'isCheckedOut'>,
  uncommitted: readonly string[] | undefined,
  { protectedRefs }: ProjectSettings,
): CommitFacts {
  const changedPaths =
    commit.changedPaths && uncommitted
      ? [...new Set([...commit.changedPaths, ...uncommitted])].toSorted()
      : commit.changedPaths;
  return { ...commit, changedPaths, ...(protectedRefs === undefined ? {} : { protectedRefs }) };
}
