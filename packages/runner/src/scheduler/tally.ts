import { isActive } from './state.ts';
import type { EndStatus, JobState } from './state.ts';

/**
 * How a job counts for those that wait for it, as GitLab has it: `open` may still run; `warning` failed or was canceled
 * and that is allowed; `ignored` is an optional manual job nobody has started, `manual` a blocking one.
 */
export type Kind = 'open' | 'success' | 'warning' | 'ignored' | 'skipped' | 'canceled' | 'manual' | 'failed';

export function kindOf({ status, failureAllowed, plan }: JobState): Kind {
  const optional = plan.allowFailure === true;
  if (status === 'created' || isActive(status)) return 'open';
  if (status === 'manual') return optional ? 'ignored' : 'manual';
  if (status === 'failed') return failureAllowed ? 'warning' : 'failed';
  if (status === 'canceled') return optional ? 'warning' : 'canceled';
  return status === 'skipped' ? 'skipped' : 'success';
}

type Counts = Record<Kind, number>;

/** Counts jobs by kind; answers what they have come to together, without looking at them again. */
export class Tally {
  readonly #counts: Counts = {
    open: 0,
    success: 0,
    warning: 0,
    ignored: 0,
    skipped: 0,
    canceled: 0,
    manual: 0,
    failed: 0,
  };

  add(kind: Kind, count = 1): void {
    this.#counts[kind] += count;
  }

  addAll(other: Tally): void {
    for (const kind of Object.keys(this.#counts) as Kind[]) this.#counts[kind] += other.#counts[kind];
  }

  get isEmpty(): boolean {
    return Object.values(this.#counts).every((count) => count === 0);
  }

  has(kind: Kind): boolean {
    return this.#counts[kind] > 0;
  }

  /**
   * GitLab's composite status, once nothing counted is open: manual before failed (the pipeline is blocked), canceled
   * only when nothing has failed.
   */
  status(): EndStatus {
    if (this.has('manual')) return 'manual';
    if (this.has('failed')) return 'failed';
    if (this.has('canceled')) return 'canceled';
    return this.has('success') || this.has('warning') ? 'success' : 'skipped';
  }
}
