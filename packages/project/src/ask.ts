import { createPipeline } from '@updraft/gitlab-ci';
import type { Answer, PipelineRequest, PipelineResult, Question } from '@updraft/gitlab-ci';
import { Semaphore } from '@updraft/kit';
import { AnswerBook } from './answer-book.ts';
import { ProjectFault } from './faults.ts';
import type { Project } from './pipeline.ts';

export interface AskOptions {
  /** Over the project's own request: `source`, `child`, more variables. */
  readonly request?: Partial<PipelineRequest>;
  /** Asked before the project is; undefined: ask the project. For what only a run knows, such as artifacts. */
  readonly answer?: (question: Question) => Promise<Answer | undefined>;
}

/** GitLab allows 150 files; a chain of includes needs a round for each link. */
const MAX_ROUNDS = 200;
const AT_ONCE = 8;

/**
 * Asks the language, answers all of its questions side by side, and asks again until it has none.
 * @throws ProjectFault ENDLESS_QUESTIONS
 */
export async function askUntilAnswered<T extends { readonly questions?: readonly Question[] }>(
  ask: (request: PipelineRequest) => T,
  project: Project,
  options: AskOptions = {},
): Promise<T> {
  const own = new AnswerBook();
  const places = new Semaphore(AT_ONCE);
  const answers = { get: (question: Question) => own.get(question) ?? project.answers.get(question) };
  const request = { ...project.request, ...options.request, answers };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const result = ask(request);
    const { questions = [] } = result;
    if (questions.length === 0) return result;
    const open = questions.filter((question) => answers.get(question) === undefined);
    // What is asked again though it was answered would be asked for ever.
    if (open.length === 0) break;
    await Promise.all(
      open.map((question) => places.use(() => answerOne(question, { own, project, options }))),
    );
  }
  throw new ProjectFault('ENDLESS_QUESTIONS', 'the configuration asks for other files without an end', {
    next: 'Look for includes of other projects or addresses that include each other.',
  });
}

async function answerOne(
  question: Question,
  by: { own: AnswerBook; project: Project; options: AskOptions },
): Promise<void> {
  const given = await by.options.answer?.(question);
  if (given === undefined) await by.project.answer(question);
  else await by.own.find(question, () => Promise.resolve(given));
}

/** The pipeline that a project gets, everything it includes fetched. */
export const createProjectPipeline = (project: Project, options: AskOptions = {}): Promise<PipelineResult> =>
  askUntilAnswered(createPipeline, project, options);
