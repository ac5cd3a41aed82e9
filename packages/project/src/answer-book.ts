import type { Answer, Answers, Question } from '@updraft/gitlab-ci';

/** Answers by question; the same question is looked up once, however often and from wherever it is asked. */
export class AnswerBook implements Answers {
  readonly #answers = new Map<string, Answer>();
  readonly #pending = new Map<string, Promise<Answer>>();

  get(question: Question): Answer | undefined {
    return this.#answers.get(keyOf(question));
  }

  async find(question: Question, look: (question: Question) => Promise<Answer>): Promise<void> {
    const key = keyOf(question);
    if (this.#answers.has(key)) return;
    const pending = this.#pending.get(key) ?? look(question);
    this.#pending.set(key, pending);
    try {
      this.#answers.set(key, await pending);
    } finally {
      this.#pending.delete(key);
    }
  }
}

/** Fields in a fixed order, so that equal questions have equal keys. */
function keyOf(question: Question): string {
  switch (question.kind) {
    case 'remote':
      return key(question.kind, question.url);
    case 'project':
      return key(question.kind, question.project, question.ref, question.file);
    case 'project-tree':
      return key(question.kind, question.project, question.ref);
    case 'template':
      return key(question.kind, question.name);
    case 'component':
      return key(question.kind, question.address);
    case 'changes':
      return key(question.kind, question.compareTo);
    case 'artifact':
      return key(question.kind, question.job, question.path);
  }
}

const key = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts);
