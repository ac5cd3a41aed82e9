import type { Command } from '../command.ts';
import { env } from './env.ts';
import { image } from './image.ts';
import { artifacts, logs } from './logs.ts';
import { down, kubeconfig, status, up } from './platform.ts';
import { run } from './run.ts';
import { cancel, play, prune, retry, runs } from './runs.ts';
import { scan } from './scan.ts';
import { shell } from './shell.ts';

/**
 * Verbs that ask the daemon and nothing else: bundled apart, they start in a third of the time. bin/updraft.cjs knows
 * their names, too.
 */
export const PLATFORM_COMMANDS: readonly Command[] = [
  run,
  play,
  retry,
  cancel,
  shell,
  env,
  runs,
  logs,
  artifacts,
  image,
  scan,
  up,
  down,
  status,
  prune,
  kubeconfig,
];
