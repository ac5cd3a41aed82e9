import { readFileSync, readdirSync } from 'node:fs';
import { signalProcess } from '@updraft/kit';

/**
 * Ends processes of jobs on the host that outlived a killed daemon: each has its job's folder, which no other program
 * has, in CI_PROJECT_DIR. @returns how many
 */
export function endOrphans(jobsDir: string): number {
  const mark = `CI_PROJECT_DIR=${jobsDir}/`;
  const orphans = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).some((entry) => entry.startsWith(mark)))
    .map(Number);
  for (const pid of orphans) signalProcess(pid, 'SIGKILL');
  return orphans.length;
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // It has ended, or is another user's.
  }
}
