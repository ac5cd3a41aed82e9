/**
 * The contract of the daemon's API: routes, events and views as types. Imports nothing, so that every client can.
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
export type { RunEvent } from './events.ts';
export type { BuildEvent, BuildImage, ImageView, RouteName, Routes, StartRun } from './routes.ts';
