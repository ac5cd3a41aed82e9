/**
 * What every room stands on: faults, time, processes, files, logging, a small database. No word of the domain.
 * @module
 */
export { Fault, codeOf, messageOf } from './fault.ts';
export { systemClock, timestamp } from './clock.ts';
export type { Clock } from './clock.ts';
export { run, runOrThrow, signalProcess, start } from './process.ts';
export type { Exit, RunOptions, RunResult, RunningProcess, StartOptions } from './process.ts';
export {
  diskFault,
  exists,
  readTextIfPresent,
  replaceFile,
  resolveInRoot,
  writeFileAtomic,
} from './files.ts';
export { removeTree } from './remove-tree.ts';
export { KeyedLock, Semaphore, Undo } from './concurrency.ts';
export { Emitter } from './events.ts';
export { jsonLogger, silentLogger } from './log.ts';
export type { LogLevel, Logger } from './log.ts';
export { openDatabase } from './database.ts';
export type { Database, Row, SqlValue } from './database.ts';
export { nearest } from './nearest.ts';
export { holdLock } from './lock.ts';
