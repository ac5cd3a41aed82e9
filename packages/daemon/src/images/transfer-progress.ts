import type { Clock } from '@updraft/kit';
import type { ImageEvent } from './actions.ts';

type ProgressEvent = Extract<ImageEvent, { readonly type: 'progress' }>;

/** What is done sooner needs no announcement. */
const QUIET_MS = 2000;
const STEP_MS = 500;

/** Adds up what of an image has moved, and tells it now and then once it takes long. */
export class TransferProgress {
  readonly #clock: Clock;
  readonly #what: string;
  readonly #tell: (event: ProgressEvent) => void;
  readonly #parts = new Map<string, { readonly doneBytes: number; readonly totalBytes: number }>();
  #nextMs: number;

  constructor(clock: Clock, what: string, tell: (event: ProgressEvent) => void) {
    this.#clock = clock;
    this.#what = what;
    this.#tell = tell;
    this.#nextMs = clock.elapsed() + QUIET_MS;
  }

  readonly note = (part: { digest: string; doneBytes: number; totalBytes: number }): void => {
    this.#parts.set(part.digest, part);
    if (this.#clock.elapsed() < this.#nextMs) return;
    this.#nextMs = this.#clock.elapsed() + STEP_MS;
    const all = [...this.#parts.values()];
    const doneBytes = all.reduce((sum, each) => sum + each.doneBytes, 0);
    const totalBytes = all.reduce((sum, each) => sum + each.totalBytes, 0);
    const text = `${this.#what}: ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`;
    this.#tell({ type: 'progress', text, doneBytes, totalBytes });
  };
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
