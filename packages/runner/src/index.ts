/**
 * Runs pipelines: a pure scheduler decides, jobs run as pods over overlay workspaces, environments are remembered.
 * @module
 */
export { createRunner } from './runner.ts';
export type { Runner } from './runner.ts';
export { PipelineRun } from './runs/run.ts';
export type { JobRecord, RunRecord, RunStatus, RunnerEvent } from './runs/record.ts';
export type { ShellSession, ShellStreams } from './runs/shell.ts';
export type { EnvironmentRecord } from './environments/store.ts';
export type {
  CheckoutExtras,
  CheckoutSource,
  ClusterRef,
  ClusterSource,
  ChildPipelines,
  ChildRequest,
  ImageSource,
  ResolvedImage,
  RunRequest,
  RunnerConfig,
  ToolHost,
  ToolJob,
  WorkTreeChanges,
} from './ports.ts';
