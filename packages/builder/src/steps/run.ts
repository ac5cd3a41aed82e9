import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import { Undo } from '@updraft/kit';
import { heredocName } from '@updraft/dockerfile';
import type { RunInstruction, Stage } from '@updraft/dockerfile';
import type { Layer } from '@updraft/oci';
import type { ContainerSpec, Resources, SecurityContext } from '@updraft/pods';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';
import { statusOf } from '../files/merged-root.ts';
import { flagValues } from '../plan.ts';
import { proxies } from '../scope.ts';
import type { Entitlement } from '../types.ts';
import { addLayer, runText } from './history.ts';
import { layerStep, takeRootMode } from './layer-step.ts';
import { nameOf, shortened } from './names.ts';
import { mountKey, prepareMounts } from './prepare-mounts.ts';
import { readMounts } from './run-mounts.ts';
import type { RunMount } from './run-mounts.ts';
import { runInPod } from './run-pod.ts';
import type { RunNetwork } from './run-pod.ts';

/** A RUN with everything decided that can be decided before it runs. */
interface Command {
  readonly words: readonly string[];
  /** A here-document that is a program of its own, and where it lies. */
  readonly script: { readonly file: string; readonly content: string } | undefined;
  readonly mounts: readonly RunMount[];
  readonly network: RunNetwork;
  readonly isInsecure: boolean;
}

export async function runStep(
  build: Build,
  stage: Stage,
  draft: Draft,
  instruction: RunInstruction,
): Promise<void> {
  const command = readCommand(build, instruction, draft);
  const mountKeys = await Promise.all(command.mounts.map((mount) => mountKey(build, stage, mount)));
  const variables = Object.entries(draft.scope.variables()).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const layer = await layerStep(build, draft, {
    title: `RUN ${shortened(instruction.text)}`,
    parts: [
      'RUN',
      command.words,
      command.script?.content,
      variables,
      draft.config.User,
      draft.config.WorkingDir,
      [command.network, command.isInsecure],
      mountKeys,
    ],
    make: (folder) =>
      withCacheMounts(build, command.mounts, () => execute(build, stage, draft, { command, folder })),
  });
  addLayer(build, draft, runText(command.words, draft.scope), layer);
}

function readCommand(build: Build, instruction: RunInstruction, draft: Draft): Command {
  const { command } = instruction;
  if (flagValues(instruction, 'device').length > 0) throw new BuildFailure('--device is not supported');
  const rest = {
    mounts: readMounts(instruction, draft.scope, draft.config.WorkingDir ?? '/'),
    network: readNetwork(build, instruction, draft),
    isInsecure: readSecurity(build, instruction, draft),
  };
  if (command.form === 'exec') {
    const words = command.words.map(({ text }) => text);
    if (words.length === 0) throw new BuildFailure('RUN needs a command', instruction.textRange);
    return { ...rest, words, script: undefined };
  }
  const alone = aloneHeredoc(instruction);
  if (alone?.content.startsWith('#!')) {
    const file = `/dev/pipes/${path.posix.basename(alone.name)}`;
    return { ...rest, words: [file], script: { file, content: alone.content } };
  }
  const bodies = instruction.heredocs.map(({ raw, name }) => `\n${raw}${name}`);
  const text = alone?.content ?? `${command.text}${bodies.join('')}`;
  return { ...rest, words: [...shellOf(draft), text], script: undefined };
}

const NETWORKS: Readonly<Record<string, RunNetwork>> = { default: 'pod', none: 'none', host: 'host' };

function readNetwork(build: Build, instruction: RunInstruction, draft: Draft): RunNetwork {
  const [written = 'default'] = flagValues(instruction, 'network');
  const name = draft.scope.word({ text: written, range: instruction.keywordRange });
  const network = Object.hasOwn(NETWORKS, name) ? NETWORKS[name] : undefined;
  if (network === undefined) throw new BuildFailure(`--network is default, none or host, not ${name}`);
  if (network === 'host') needs(build, 'network.host', '--network=host');
  return network;
}

function readSecurity(build: Build, instruction: RunInstruction, draft: Draft): boolean {
  const [written = 'sandbox'] = flagValues(instruction, 'security');
  const name = draft.scope.word({ text: written, range: instruction.keywordRange });
  if (name !== 'sandbox' && name !== 'insecure')
    throw new BuildFailure(`--security is sandbox or insecure, not ${name}`);
  if (name === 'insecure') needs(build, 'security.insecure', '--security=insecure');
  return name === 'insecure';
}

/** What gives a command more than the default rights has to be granted by whoever starts the build. */
function needs(build: Build, entitlement: Entitlement, flag: string): void {
  if (build.request.entitlements?.includes(entitlement)) return;
  throw new BuildFailure(
    `${flag} is not allowed here; the build has to be started with --allow ${entitlement}`,
  );
}

/** `RUN <<EOF` alone: its body is what runs. With anything beside it, the shell reads the here-documents itself. */
function aloneHeredoc({ text, heredocs }: RunInstruction) {
  const [only, second] = heredocs;
  return only && !second && heredocName(text) !== undefined ? only : undefined;
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
    if (command.script) {
      const source = path.join(folder, 'script');
      await writeFile(source, command.script.content, { mode: 0o755 });
      prepared.mounts.push({ kind: 'bind', source, target: command.script.file, readOnly: true });
    }
    const spec: ContainerSpec = {
      name: 'run',
      rootFs: { layers: below, upper },
      command: command.words,
      env: { ...proxies(build.args), ...draft.scope.variables(), ...prepared.variables },
      workingDir: nameOf(draft.config.WorkingDir, ''),
      // What lies in another mount's folder comes after it.
      mounts: prepared.mounts.toSorted((a, b) => (a.target < b.target ? -1 : 1)),
      resources: resourcesOf(build),
      security: securityOf(draft, command),
    };
    await keepSystemFolders(upper, below, prepared.mounts);
    await runInPod(build, spec, command.network);
  } finally {
    await undo.close();
  }
  return await store.commitLayer(upper, { timestampMs: build.timestampMs });
}

/** Once a command has run in an image it has these, as BuildKit leaves them. */
const SYSTEM_FOLDERS = ['dev', 'proc', 'sys'] as const;

async function keepSystemFolders(
  upper: string,
  below: readonly string[],
  mounts: readonly { readonly target: string }[],
): Promise<void> {
  for (const name of SYSTEM_FOLDERS) {
    // What is made for a mount of this command alone goes with it.
    const isForMount = mounts.some(({ target }) => target.startsWith(`/${name}/`));
    if (isForMount || !(await isMissing(name, below))) continue;
    await mkdir(path.join(upper, name));
    await chmod(path.join(upper, name), 0o755);
  }
}

/** `below` has the top layer first; what a layer removes is a character device there. */
async function isMissing(name: string, below: readonly string[]): Promise<boolean> {
  for (const folder of below) {
    const status = await statusOf(path.join(folder, name));
    if (status) return status.isCharacterDevice();
  }
  return true;
}

/** A command that runs wild must not take the machine with it. */
const MOST_PROCESSES = 8192;
const MOST_OF_MEMORY = 0.9;

function resourcesOf({ request: { limits = {} } }: Build): Resources {
  return {
    memoryBytes: limits.memoryBytes ?? Math.floor(totalmem() * MOST_OF_MEMORY),
    processes: limits.processes ?? MOST_PROCESSES,
  };
}

function securityOf({ config: { User: user } }: Draft, { isInsecure }: Command): SecurityContext {
  return {
    ...(user ? { user } : {}),
    ...(isInsecure ? { addCapabilities: ['ALL'], seccomp: false } : {}),
  };
}
