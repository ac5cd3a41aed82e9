import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { Fault } from '@updraft/kit';
import type { ContainerExit, ContainerSpec, PodSpec } from '@updraft/pods';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { logLines } from '../log-lines.ts';

export type RunNetwork = NonNullable<PodSpec['network']>;

/**
 * Runs a command to its end; when the build is cancelled everything in the pod is killed first.
 * @throws BuildFailure when it fails
 */
export async function runInPod(build: Build, spec: ContainerSpec, network: RunNetwork): Promise<void> {
  const exit = await exitOf(build, spec, network);
  build.signal.throwIfAborted();
  if (exit.kind === 'couldNotStart')
    throw new BuildFailure(`the command could not be started: ${exit.message}`);
  if (exit.code === 0) return;
  await checkDisk(spec.rootFs.upper ?? '/');
  const why = exit.outOfMemory ? ' (it ran out of memory)' : '';
  throw new BuildFailure(`the command exited with ${exit.code}${why}`, undefined, exit.code);
}

async function exitOf(build: Build, spec: ContainerSpec, network: RunNetwork): Promise<ContainerExit> {
  const name = `build-${randomBytes(6).toString('hex')}`;
  const hostname = build.request.buildArgs?.['BUILDKIT_SANDBOX_HOSTNAME'] || 'build';
  const pod = await build.workshop.runtime.createPod({ name, hostname, network, unreachable: true });
  const [stdout, stderr] = [logLines(build.log), logLines(build.log)];
  try {
    build.signal.throwIfAborted();
    const container = await pod.start(spec, { onStdout: stdout.write, onStderr: stderr.write });
    const cancel = () => void container.stop(0, 'SIGKILL').catch(() => undefined);
    build.signal.addEventListener('abort', cancel, { once: true });
    if (build.signal.aborted) cancel();
    try {
      return await container.exited;
    } finally {
      build.signal.removeEventListener('abort', cancel);
    }
  } finally {
    stdout.end();
    stderr.end();
    await pod.remove();
  }
}

/** A command that failed on a full disk is not to blame. */
async function checkDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize > 1024 * 1024) return;
  throw new Fault('DISK_FULL', `no space left on the disk while building in ${folder}`, {
    next: 'Free some space, for example with `updraft image prune`, and build again.',
  });
}
