import type { RunRequest } from '../ports.ts';
import { forgetKept } from './open-run-shell.ts';
import type { RunRecord } from './record.ts';
import { PipelineRun } from './run.ts';
import type { RunContext, RunOrigin } from './run.ts';

/** The runs that go on, by their numbers; opens those again that are over. */
export class ActiveRuns {
  readonly #runs = new Map<number, PipelineRun>();
  readonly #context: RunContext;

  constructor(context: Omit<RunContext, 'launch'>) {
    this.#context = {
      ...context,
      launch: (request, run, job) => this.begin(request, { parent: { run, job } }),
    };
  }

  get all(): readonly PipelineRun[] {
    return [...this.#runs.values()];
  }

  begin(request: RunRequest, origin: RunOrigin = {}): PipelineRun {
    const run = new PipelineRun(this.#context, request, origin);
    this.#runs.set(run.id, run);
    void this.#forgetWhenOver(run);
    return run;
  }

  async #forgetWhenOver(run: PipelineRun): Promise<void> {
    await run.finished;
    // It may have been opened again meanwhile.
    if (this.#runs.get(run.id) === run) this.#runs.delete(run.id);
    const { runs, config } = this.#context;
    await forgetKept(runs.dir).catch((error: unknown) => {
      config.logger.log('warn', 'files of failed jobs could not be removed', { error });
    });
  }

  /**
   * The run that goes on, or one that is over opened again, with the runs whose jobs wait for it.
   * undefined: nothing is kept of it any more.
   */
  open(id: number): PipelineRun | undefined {
    const going = this.#runs.get(id);
    if (going && !going.isOver) return going;
    const { runs } = this.#context;
    const record = runs.get(id);
    const kept = runs.reopen(id);
    if (!record || !kept) return undefined;
    const parent = this.#waitingParent(record);
    const reopened = { record, memories: kept.memories };
    const run = this.begin(kept.request, { ...(parent ? { parent } : {}), reopened });
    parent?.run.follow(parent.job, run);
    return run;
  }

  /** The parent whose job waited for this run, and does so again. */
  #waitingParent({ parent }: RunRecord): RunOrigin['parent'] {
    const jobs = parent && this.#context.runs.reopen(parent.run)?.request.pipeline.jobs;
    const job = jobs?.find(({ name }) => name === parent?.job);
    if (!parent || job?.trigger?.strategy === undefined) return undefined;
    const run = this.open(parent.run);
    return run && { run, job: parent.job };
  }
}
