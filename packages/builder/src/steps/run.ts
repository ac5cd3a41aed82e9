import { randomBytes } from 'node:crypto';
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault, Undo } from '@updraft/kit';
import type { RunInstruction, Stage } from '@updraft/dockerfile';
import type { Layer } from '@updraft/oci';
import type { ContainerExit, ContainerSpec } from '@updraft/pods';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';
import { logLines } from '../log-lines.ts';
import { flagValues } from '../plan.ts';
import { proxies } from '../scope.ts';
import { addLayer, layerStep, takeRootMode } from './layer-step.ts';
import { shortened } from './names.ts';
import { mountKey, prepareMounts } from './prepare-mounts.ts';
import { readMounts } from './run-mounts.ts';
import type { RunMount } from './run-mounts.ts';

/** A RUN with everything decided that can be decided before it runs. */
interface Command {
  readonly words: readonly string[];
  /** A here-document that is a program of its own. */
  readonly script: string | undefined;
  readonly mounts: readonly RunMount[];
  readonly network: 'pod' | 'none';
}

const SCRIPT = '/dev/pipes/EOF';

export async function runStep(
  build: Build,
  stage: Stage,
  draft: Draft,
  instruction: RunInstruction,
): Promise<void> {
  const command = readCommand(instruction, draft);
  const title = `RUN ${shortened(instruction.text)}`;
  const mountKeys = await Promise.all(command.mounts.map((mount) => mountKey(build, stage, mount)));
  const variables = Object.entries(draft.scope.variables()).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const layer = await layerStep(build, draft, {
    title,
    parts: [
      'RUN',
      command.words,
      command.script,
      variables,
      draft.config.User,
      draft.config.WorkingDir,
      command.network,
      mountKeys,
    ],
    make: (folder) =>
      withCacheMounts(build, command.mounts, () => execute(build, stage, draft, { command, folder })),
  });
  addLayer(build, draft, title, layer);
}

function readCommand(instruction: RunInstruction, draft: Draft): Command {
  const { command } = instruction;
  const mounts = readMounts(instruction, draft.scope, draft.config.WorkingDir ?? '/');
  const rest = { mounts, network: readNetwork(instruction) };
  if (command.form === 'exec') {
    return { ...rest, words: command.words.map(({ text }) => text), script: undefined };
  }
  const script = aloneHeredoc(instruction);
  if (script?.startsWith('#!')) return { ...rest, words: [SCRIPT], script };
  const bodies = instruction.heredocs.map(({ raw, name }) => `\n${raw}${name}`);
  const text = script ?? `${command.text}${bodies.join('')}`;
  return { ...rest, words: [...shellOf(draft), text], script: undefined };
}

/** Also refuses what would give a command more than the default rights. */
function readNetwork(instruction: RunInstruction): 'pod' | 'none' {
  const security = flagValues(instruction, 'security').find((value) => value !== 'sandbox');
  if (security !== undefined) throw new BuildFailure(`--security=${security} is not allowed here`);
  if (flagValues(instruction, 'device').length > 0) throw new BuildFailure('--device is not supported');
  const [network = 'default'] = flagValues(instruction, 'network');
  if (network === 'none') return 'none';
  if (network === 'default') return 'pod';
  throw new BuildFailure(`--network is default or none here, not ${network}`);
}

/** `RUN <<EOF` alone: its body is what runs. With anything beside it, the shell reads the here-documents itself. */
function aloneHeredoc({ text, heredocs }: RunInstruction): string | undefined {
  const [only, second] = heredocs;
  return only && !second && /^\d*<<-?(["']?)[^\s"'<]+\1$/.test(text) ? only.content : undefined;
}

export function shellOf(draft: Draft): readonly string[] {
  return draft.config.Shell ?? ['/bin/sh', '-c'];
}

/** Caches that are shared by turns are held for the whole command. */
async function withCacheMounts<T>(
  build: Build,
  mounts: readonly RunMount[],
  work: () => Promise<T>,
): Promise<T> {
  const locked = mounts.flatMap((mount) =>
    mount.type === 'cache' && mount.sharing === 'locked' ? [mount.id] : [],
  );
  const inOrder = [...new Set(locked)].toSorted();
  const next = (index: number): Promise<T> => {
    const id = inOrder[index];
    return id === undefined ? work() : build.workshop.cacheMounts.use(id, () => next(index + 1));
  };
  return await next(0);
}

async function execute(
  build: Build,
  stage: Stage,
  draft: Draft,
  { command, folder }: { command: Command; folder: string },
): Promise<Layer | undefined> {
  const { store } = build.workshop;
  const below = await store.layerFolders(draft.layers);
  const upper = path.join(folder, 'upper');
  await mkdir(upper);
  await takeRootMode(upper, below);
  const undo = new Undo();
  try {
    const prepared = await prepareMounts(build, stage, command.mounts, { folder, undo });
    if (command.script !== undefined) {
      const source = path.join(folder, 'script');
      await writeFile(source, command.script, { mode: 0o755 });
      prepared.mounts.push({ kind: 'bind', source, target: SCRIPT, readOnly: true });
    }
    const spec: ContainerSpec = {
      name: 'run',
      rootFs: { layers: below, upper },
      command: command.words,
      env: { ...proxies(build.args), ...draft.scope.variables(), ...prepared.variables },
      workingDir: draft.config.WorkingDir || '/',
      mounts: prepared.mounts,
      ...(draft.config.User ? { security: { user: draft.config.User } } : {}),
    };
    await checkExit(build, await runInPod(build, spec, command.network), spec);
  } finally {
    await undo.close();
  }
  return await store.commitLayer(upper, { timestampMs: build.timestampMs });
}

/** Runs to the end; when the build is cancelled everything in the pod is killed first. */
async function runInPod(build: Build, spec: ContainerSpec, network: 'pod' | 'none'): Promise<ContainerExit> {
  const name = `build-${randomBytes(6).toString('hex')}`;
  const pod = await build.workshop.runtime.createPod({ name, hostname: 'build', network });
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

async function checkExit(build: Build, exit: ContainerExit, spec: ContainerSpec): Promise<void> {
  build.signal.throwIfAborted();
  if (exit.kind === 'couldNotStart')
    throw new BuildFailure(`the command could not be started: ${exit.message}`);
  if (exit.code === 0) return;
  await checkDisk(spec.rootFs.upper ?? '/');
  const why = exit.outOfMemory ? ' (it ran out of memory)' : '';
  throw new BuildFailure(`the command exited with ${exit.code}${why}`, undefined, exit.code);
}

/** A command that failed on a full disk is not to blame. */
async function checkDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize > 1024 * 1024) return;
  throw new Fault('DISK_FULL', `no space left on the disk while building in ${folder}`, {
    next: 'Free some space, for example with `updraft image prune`, and build again.',
  });
}
