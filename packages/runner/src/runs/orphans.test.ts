import { expect, test } from 'vitest';
import { start } from '@updraft/kit';
import { endOrphans, startWatchdog } from './orphans.ts';

test('what a dead daemon’s jobs left on the host ends, and nothing else', async () => {
  const jobs = `/tmp/updraft-orphans-${process.pid}/jobs`;
  const sleeper = (dir: string) => start('sleep', ['60'], { env: { CI_PROJECT_DIR: `${dir}/1/project` } });
  const [orphan, other] = await Promise.all([sleeper(jobs), sleeper(`${jobs}-of-another`)]);
  expect(endOrphans(jobs)).toBe(1);
  expect((await orphan.exited).signal).toBe('SIGKILL');
  expect(endOrphans(jobs)).toBe(0);
  other.kill('SIGTERM');
  expect((await other.exited).signal).toBe('SIGTERM');
});

test('and at once, when the daemon is killed', async () => {
  const jobs = `/tmp/updraft-watched-${process.pid}/jobs`;
  const orphan = await start('sleep', ['60'], { env: { CI_PROJECT_DIR: `${jobs}/1/project` } });
  const watchdog = await startWatchdog(jobs);
  watchdog.letGo();
  expect((await orphan.exited).signal).toBe('SIGKILL');
});
