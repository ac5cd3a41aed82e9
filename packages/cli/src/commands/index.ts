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
import { scan } from './scan.ts';

/** Every verb, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  run,
  list,
  lint,
  preview,
  explain,
  env,
  logs,
  artifacts,
  image,
  lintDockerfile,
  scan,
  up,
  down,
  status,
  kubeconfig,
];
