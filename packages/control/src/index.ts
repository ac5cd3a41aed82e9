/**
 * The contract of the daemon's API: routes, events and views as types, and a client over a given transport. Imports nothing.
 * @module
 */
export type {
  EnvironmentView,
  FaultView,
  JobStatus,
  JobView,
  PipelineStatus,
  PlatformView,
  ProblemView,
  RunView,
} from './views.ts';
export { ControlError, createClient } from './client.ts';
export type { CallOptions, ControlClient, Transport } from './client.ts';
export type { RunEvent } from './events.ts';
export type {
  BuildEvent,
  BuildImage,
  ImageAction,
  ImageView,
  RouteName,
  Routes,
  StartRun,
  ToolEvent,
} from './routes.ts';
