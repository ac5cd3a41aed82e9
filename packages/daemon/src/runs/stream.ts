import type { ProblemView, RunEvent } from '@updraft/control';
import type { Emitter } from '@updraft/kit';
import type { PipelineRun } from '@updraft/runner';
import type { Progress } from '../images/source.ts';
import { EventQueue } from '../server/queue.ts';
import { runEvent } from './views.ts';

/** Starts a run and gives its events to the end. An attached client that goes away takes the run with it. */
export async function* streamRun(
  run: PipelineRun,
  problems: readonly ProblemView[],
  progress: Emitter<Progress>,
  client: { readonly attached: boolean; readonly signal: AbortSignal },
): AsyncIterable<RunEvent> {
  const queue = new EventQueue<RunEvent>();
  const stop = run.events.listen((event) => {
    queue.push(runEvent(event));
    if (event.type === 'finished') queue.end();
  });
  const stopProgress = progress.listen((event) => queue.push(event));
  const leave = () => {
    if (client.attached) run.cancel();
    stop();
    stopProgress();
    queue.end();
  };
  client.signal.addEventListener('abort', leave, { once: true });
  if (problems.length > 0) yield { type: 'problems', problems };
  run.start();
  try {
    yield* queue;
  } finally {
    client.signal.removeEventListener('abort', leave);
    stop();
    stopProgress();
  }
}
