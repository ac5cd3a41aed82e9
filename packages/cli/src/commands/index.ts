import type { Command } from '../command.ts';
import { env } from './env.ts';
import { explain } from './explain.ts';
import { image } from './image.ts';
import { lint } from './lint.ts';
import { lintDockerfile } from './lint-dockerfile.ts';
import { list } from './list.ts';
import { artifacts, logs } from './logs.ts';
import { down, kubeconfig, status, up } from './platform.ts';
import { preview } from './preview.ts';
import { run } from './run.ts';
import { cancel, play, prune, retry, runs } from './runs.ts';
import { scan } from './scan.ts';
import { shell } from './shell.ts';

/** Every verb, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  run,
  play,
  retry,
  cancel,
  shell,
  list,
  lint,
  preview,
  explain,
  env,
  runs,
  logs,
  artifacts,
  image,
  lintDockerfile,
  scan,
  up,
  down,
  status,
  prune,
  kubeconfig,
];
