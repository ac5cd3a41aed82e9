import type { IncomingArtifacts } from './artifacts.ts';
import type { JobInput, RunnerConfig } from '../ports.ts';

/** What one job needs of the runner. */
export type JobConfig = Omit<RunnerConfig, 'children' | 'slots'>;

/** One job to run, and where what it leaves goes. */
export interface Execution {
  readonly config: JobConfig;
  readonly input: JobInput;
  readonly incoming: IncomingArtifacts;
  /** Where this job's archive and reports go. */
  readonly outputDir: string;
  /** Hears the masked log as it grows. */
  readonly onLog: (text: string) => void;
  /** The user cancels. */
  readonly signal: AbortSignal;
  /** Where the changed files of a job that fails are kept, for a shell; absent: nowhere. */
  readonly keepFailed?: string;
  /** For jobs on the host: another shell than bash where there is one, else sh. */
  readonly hostShell?: string;
}
