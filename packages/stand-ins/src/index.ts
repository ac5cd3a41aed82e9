/**
 * Images that are made here because the one that was named cannot be pulled, and the server behind the entry points of
 * their tools. Always shown as what they are.
 * @module
 */
export { createStandIns } from './make.ts';
export type { StandInOptions } from './make.ts';
export { findStandIn } from './catalogue.ts';
export { StandInFault } from './fault.ts';
export type { StandIn, StandIns } from './types.ts';
export { createToolHandler } from './server/handler.ts';
export type { ToolIo, ToolProgram } from './server/handler.ts';
export type { ToolCall } from './tools/protocol.ts';
export { kanikoCommand } from './kaniko/command.ts';
export type { JobFiles, KanikoContext } from './kaniko/command.ts';
export { credentialsFor } from './kaniko/credentials.ts';
