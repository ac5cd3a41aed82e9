import { messageOf } from '@updraft/kit';
import type { Platform } from '../platform.ts';
import { noticeRemoved, prepareStop } from './environments.ts';
import { prepareOptions } from './handlers.ts';

const LOOK_EVERY_MS = 60_000;

/** Stops environments whose `auto_stop_in` is over, as GitLab's worker does. @returns what ends it */
export function startAutoStop(platform: Platform): () => void {
  let cancel = () => undefined as void;
  const next = () => {
    cancel = platform.clock.timer(LOOK_EVERY_MS, () => void stopDue(platform).finally(next));
  };
  next();
  return () => cancel();
}

async function stopDue(platform: Platform): Promise<void> {
  const { runner, clock, logger } = platform;
  const due = runner.environments
    .list()
    .filter(
      (each) => each.state === 'available' && each.autoStopAt !== undefined && each.autoStopAt <= clock.now(),
    );
  for (const record of due) {
    try {
      const context = { runner, ...prepareOptions(platform) };
      const { request } = await prepareStop(context, record);
      const run = runner.create(request);
      noticeRemoved(platform, run);
      run.start();
      const { status } = await run.finished;
      logger.log('info', 'auto_stop_in is over', { environment: record.name, status });
    } catch (error) {
      logger.log('warn', 'an environment could not be stopped', {
        environment: record.name,
        error: messageOf(error),
      });
    }
  }
}
