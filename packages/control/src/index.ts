/**
 * The contract of the daemon's API: routes, events and views as types, and a client over a given transport. Imports nothing.
 * @module
 */
export { VERSION } from './version.ts';
export { isUsersFault } from './faults.ts';
export type {
  ArtifactsView,
  EnvironmentView,
  FaultView,
  JobStatus,
  JobView,
  PipelineStatus,
  PlatformView,
  ProblemView,
  ReportView,
  RunView,
} from './views.ts';
export { ControlError, createClient } from './client.ts';
export type { CallOptions, ControlClient, Transport } from './client.ts';
export { FRAMES, FrameReader, SHELL_HEADER, SHELL_PROTOCOL, encodeFrame, shellPath } from './shell.ts';
export type { Frame, FrameKind, ShellRequest } from './shell.ts';
export type { RunEvent } from './events.ts';
export type {
  BuildEvent,
  BuildImage,
  CancelRun,
  ImageAction,
  ImageView,
  PlayJobs,
  Prune,
  Pruned,
  RetryJobs,
  RouteName,
  Routes,
  StartRun,
  ToolEvent,
} from './routes.ts';
