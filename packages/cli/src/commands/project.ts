import type { PipelineRequest, Question } from '@updraft/gitlab-ci';
import { systemClock } from '@updraft/kit';
import type { Project } from '@updraft/project';
import type { Context } from '../command.ts';
import { homeOf } from '../daemon/connect.ts';
import { selectionOf } from './pipeline-options.ts';

/** The project as the options choose it. No daemon is asked. */
export async function projectFor(context: Context, dir = context.cwd): Promise<Project> {
  const selection = selectionOf(context);
  const { readProject } = await import('@updraft/project');
  return readProject(
    { dir, ...selection },
    {
      home: homeOf(context.env),
      now: systemClock.now(),
      signal: context.signal,
      environment: context.env,
      onNote: (note) => context.output.say(note),
    },
  );
}

/** Says when the pipeline is not the commit's alone. */
export function sayUncommitted({ uncommitted }: Project, { output }: Context): void {
  if (!uncommitted) return;
  const files = uncommitted.length === 1 ? '1 file' : `${uncommitted.length} files`;
  output.say(
    output.style(
      'dim',
      `With ${files} of the work tree that are not committed (--committed leaves them out)`,
    ),
  );
}

/** Asks the language about a project until it has no more questions. */
export async function ask<T extends { readonly questions?: readonly Question[] }>(
  question: (request: PipelineRequest) => T,
  project: Project,
  request: Partial<PipelineRequest> = {},
): Promise<T> {
  const { askUntilAnswered } = await import('@updraft/project');
  return askUntilAnswered(question, project, { request });
}
