import { codes } from './codes.table.ts';
import type { ProblemCode } from './codes.table.ts';
import type { Problem } from './pipeline.ts';
import { positionOf } from './tree.ts';
import type { Mark, Tree } from './tree.ts';

/** The nearest valid word; as a function when finding it takes long. */
export type Suggestion = string | undefined | (() => string | undefined);

/** Finding the nearest word looks at all of them: thousands of mistakes must not take thousands of looks. */
const MAX_LOOKS = 100;

/**
 * Collects what is wrong. A template with a mistake is read once for each job that uses it: the same code at the
 * same place is kept once.
 */
export class Problems {
  readonly #found = new Map<string, Problem>();
  readonly #withheld = new Set<ProblemCode>();
  readonly #read = new Map<string, Map<Tree, unknown>>();
  #errors = 0;
  #looks = 0;

  /**
   * From here on these are not reported. For what an earlier mistake brings with it: in a file that could not be
   * included there may be the very job that seems to be missing.
   */
  withhold(codes: Iterable<ProblemCode>): void {
    for (const code of codes) this.#withheld.add(code);
  }

  /** What was made of the values of a keyword while problems came here, for those that are read more than once. */
  readValues(keyword: string): Map<Tree, unknown> {
    const known = this.#read.get(keyword);
    if (known) return known;
    const fresh = new Map<Tree, unknown>();
    this.#read.set(keyword, fresh);
    return fresh;
  }

  isWithheld(code: ProblemCode): boolean {
    return this.#withheld.has(code);
  }

  add(code: ProblemCode, at: Mark | undefined, message: string, near?: Suggestion): void {
    if (this.#withheld.has(code)) return;
    const position = at && positionOf(at);
    const place = position ? ` ${position.file} ${position.line} ${position.column}` : '';
    // One text may mention several inputs; everything else is wrong once at a place, whichever job says so.
    const identity = position && code !== 'input-invalid' ? `${code}${place}` : `${code}${place} ${message}`;
    if (this.#found.has(identity)) return;
    const [severity] = codes[code];
    if (severity === 'error') this.#errors += 1;
    const suggestion = this.#look(near);
    this.#found.set(identity, {
      code,
      severity,
      message,
      ...position,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  #look(near: Suggestion): string | undefined {
    if (typeof near !== 'function') return near;
    this.#looks += 1;
    return this.#looks > MAX_LOOKS ? undefined : near();
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  get errorCount(): number {
    return this.#errors;
  }

  /** In the order of the files and lines; problems without a place first. */
  list(): readonly Problem[] {
    const order = new Map<string, number>();
    for (const { file = '' } of this.#found.values()) if (!order.has(file)) order.set(file, order.size);
    const rank = (problem: Problem) => (problem.file === undefined ? -1 : (order.get(problem.file) ?? 0));
    return [...this.#found.values()].toSorted(
      (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
  }
}
