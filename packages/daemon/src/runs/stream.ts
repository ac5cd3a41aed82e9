import type { ProblemView, RunEvent } from '@updraft/control';
import type { Emitter } from '@updraft/kit';
import type { PipelineRun } from '@updraft/runner';
import type { Progress } from '../images/source.ts';
import { EventQueue } from '../server/queue.ts';
import { runEvent } from './views.ts';

export interface Watcher {
  /** What is to be heard from the beginning. */
  readonly act: () => void;
  readonly problems: readonly ProblemView[];
  readonly progress: Emitter<Progress>;
  /** When the client goes away, the run ends as well. */
  readonly attached: boolean;
  readonly signal: AbortSignal;
}

/** The events of a run, and of the runs that it has started, until all of them are over. */
export async function* watchRun(run: PipelineRun, watcher: Watcher): AsyncIterable<RunEvent> {
  const { problems, progress, signal, attached } = watcher;
  const queue = new EventQueue<RunEvent>();
  const stop = run.events.listen((event) => queue.push(runEvent(event)));
  const stopProgress = progress.listen((event) => queue.push(event));
  const leave = () => {
    if (attached) run.cancel();
    stop();
    stopProgress();
    queue.end();
  };
  signal.addEventListener('abort', leave, { once: true });
  if (problems.length > 0) yield { type: 'problems', problems };
  watcher.act();
  void run.settled().then(() => queue.end());
  try {
    yield* queue;
  } finally {
    signal.removeEventListener('abort', leave);
    stop();
    stopProgress();
  }
}

/** The run at the top: what happens in a child is heard there. */
export const topOf = (run: PipelineRun): PipelineRun => (run.parent ? topOf(run.parent) : run);
