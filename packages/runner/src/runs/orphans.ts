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
