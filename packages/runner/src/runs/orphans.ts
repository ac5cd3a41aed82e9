import { start } from '@updraft/kit';
import { marked, signalThose } from '../job/process-tree.ts';

/**
 * Ends processes of jobs on the host that outlived a killed daemon: each has its job's folder, which no other program
 * has, in CI_PROJECT_DIR. @returns how many
 */
export function endOrphans(jobsDir: string): number {
  const orphans = marked(`CI_PROJECT_DIR=${jobsDir}/`, 0);
  signalThose(orphans, 'SIGKILL');
  return orphans.length;
}

/** Waits until its standard input ends, which is when the daemon does, however that comes about. */
const WATCH = `cat > /dev/null
for process in /proc/[0-9]*; do
  grep -qzF "CI_PROJECT_DIR=$1/" "$process/environ" 2> /dev/null && kill -9 "\${process#/proc/}"
done`;

/** A process that outlives this one for a moment and ends its jobs on the host. */
export interface Watchdog {
  /** What happens when this process is killed. */
  letGo(): void;
  /** It is needed no more. */
  end(): void;
}

export async function startWatchdog(jobsDir: string): Promise<Watchdog> {
  const stdio = ['pipe', 'ignore', 'ignore'] as const;
  const watchdog = await start('sh', ['-c', WATCH, 'sh', jobsDir], { stdio: [...stdio] });
  watchdog.child.unref();
  return { letGo: () => watchdog.stdin?.end(), end: () => watchdog.kill('SIGKILL') };
}
