import type { PipelineRequest, Question } from '@updraft/gitlab-ci';
import { describe, expect, it } from 'vitest';
import { AnswerBook } from './answer-book.ts';
import { askUntilAnswered } from './index.ts';
import type { Project } from './index.ts';

const question = (url: string): Question => ({ kind: 'remote', url });

/** A project that answers with the address itself, and says how it was asked. */
function talkative(): { project: Project; asked: string[]; mostAtOnce: () => number } {
  const asked: string[] = [];
  let running = 0;
  let most = 0;
  const answers = new AnswerBook();
  const look = async (one: Question) => {
    asked.push(one.kind === 'remote' ? one.url : one.kind);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return { kind: 'file' as const, text: '', name: '' };
  };
  const project = { request: {}, answers, answer: (one: Question) => answers.find(one, look) };
  return { project: project as unknown as Project, asked, mostAtOnce: () => most };
}

describe('askUntilAnswered', () => {
  it('answers round after round, each question once, some at a time', async () => {
    const { project, asked, mostAtOnce } = talkative();
    const first = Array.from({ length: 20 }, (_, index) => `https://a/${index}`);
    const ask = (request: PipelineRequest) => {
      const known = (url: string) => request.answers?.get(question(url)) !== undefined;
      const questions = first.every(known)
        ? ['https://a/next'].filter((url) => !known(url))
        : [...first, first[0] ?? ''].filter((url) => !known(url));
      return { questions: questions.map(question), done: questions.length === 0 };
    };
    expect(await askUntilAnswered(ask, project)).toEqual({ questions: [], done: true });
    expect(asked.toSorted()).toEqual([...first, 'https://a/next'].toSorted());
    expect(mostAtOnce()).toBeGreaterThan(1);
    expect(mostAtOnce()).toBeLessThanOrEqual(8);
  });

  it('asks the caller first, who knows what only a run knows', async () => {
    const { project, asked } = talkative();
    const questions: Question[] = [{ kind: 'artifact', job: 'a', path: 'b.yml' }, question('https://b')];
    const result = await askUntilAnswered(
      (request) => {
        const texts = questions.map((one) => request.answers?.get(one));
        return { questions: questions.filter((_, index) => texts[index] === undefined), texts };
      },
      project,
      {
        answer: (one) =>
          Promise.resolve(one.kind === 'artifact' ? { kind: 'paths', paths: ['made'] } : undefined),
      },
    );
    expect(result.texts[0]).toEqual({ kind: 'paths', paths: ['made'] });
    expect(result.texts[1]).toMatchObject({ kind: 'file' });
    expect(asked).toEqual(['https://b']);
    expect(project.answers.get(questions[0]!)).toBeUndefined();
  });

  it('ends when questions never end', async () => {
    let round = 0;
    const ask = () => ({ questions: [question(`https://x/${(round += 1)}`)] });
    await expect(askUntilAnswered(ask, talkative().project)).rejects.toThrow('without an end');
    const same = () => ({ questions: [question('https://x')] });
    await expect(askUntilAnswered(same, talkative().project)).rejects.toThrow('without an end');
  });
});
