import type { Answer, Answers, Question } from './pipeline.ts';

/** Asks for what lies outside of the commit, and remembers what nobody has answered yet. */
export class Outside {
  readonly #answers: Answers | undefined;
  readonly #open = new Map<string, Question>();

  /** Without answers nobody can be asked: everything is `unanswerable`. */
  constructor(answers: Answers | undefined) {
    this.#answers = answers;
  }

  /** `pending`: not known yet; the question is noted and the result will be provisional. */
  ask(question: Question): Answer | 'pending' | 'unanswerable' {
    if (!this.#answers) return 'unanswerable';
    const answer = this.#answers.get(question);
    if (answer) return answer;
    this.#open.set(JSON.stringify(question), question);
    return 'pending';
  }

  get isWaiting(): boolean {
    return this.#open.size > 0;
  }

  /** What a result says about it: nothing when nobody can be asked. */
  get result(): { readonly questions?: readonly Question[] } {
    return this.#answers ? { questions: [...this.#open.values()] } : {};
  }
}
