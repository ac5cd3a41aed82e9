import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@updraft/kit';
import type { Container, ContainerExit, ContainerSpec, Mount, Pod } from '@updraft/pods';
import type { ImageRequest } from '@updraft/gitlab-ci';
import type { JobLog } from './log.ts';
import type { Outcome } from './outcome.ts';
import { descendants, marked, signalThose, ticksNow } from './process-tree.ts';
import type { HostProcess } from './process-tree.ts';
import { divideEnvironment, shellCommand, shellScript } from './script.ts';
import type { Workspace } from './workspace.ts';
import type { ResolvedImage } from '../ports.ts';

/** How long a script may take to end by itself once it is told to. */
const STOP_GRACE_MS = 10_000;

/** Where a job's shells run. Two of them share files, not processes: script, then after_script. */
export interface ShellPlace {
  readonly pod: Pod;
  readonly image: ResolvedImage | undefined;
  readonly request: ImageRequest | undefined;
  /** For jobs on the host: the shell. undefined: bash where there is one. */
  readonly hostShell: string | undefined;
  /** The container's writes; kept from script to after_script. */
  readonly rootUpper: string;
  readonly workspace: Workspace;
  readonly projectDir: string;
  readonly temporaryDir: { readonly host: string; readonly inside: string };
  readonly mounts: readonly Mount[];
  /** What the image brings; the shell is looked for in its PATH. */
  readonly imageEnv: Readonly<Record<string, string>>;
  /** The job's variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: JobLog;
  readonly clock: Clock;
}

export interface Shell {
  readonly name: string;
  readonly commands: readonly string[];
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal | undefined;
  /** Beside the place's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs commands in one shell to their end, their time-out or the user's cancel. Nothing it started runs on. */
export async function runShell(place: ShellPlace, shell: Shell): Promise<Outcome> {
  if (shell.signal?.aborted) return { kind: 'canceled' };
  const env = { ...place.env, ...shell.env };
  const divided = divideEnvironment(env);
  const script = shellScript(place.projectDir, shell.commands, {
    exports: divided.exports,
    trace: env['CI_DEBUG_TRACE'] === 'true',
    checkExitCodes: env['FF_ENABLE_BASH_EXIT_CODE_CHECK'] === 'true',
  });
  // Images whose user is not root have to read it; the folders above it are nobody else's.
  await writeFile(path.join(place.temporaryDir.host, scriptFile(shell.name)), script, { mode: 0o755 });
  await place.pod.files?.put(place.temporaryDir.host, place.temporaryDir.inside);
  const container = await startContainer(place, shell, { ...place.imageEnv, ...divided.process });
  const outcome = await watchOver(place, shell, container);
  if (!place.image) killStrays(container, env);
  place.log.flush();
  if (outcome.kind === 'couldNotRun') place.log.line(`ERROR: ${outcome.message}`);
  if (outcome.kind === 'timedOut')
    place.log.line(`ERROR: ended after ${Math.round(shell.timeoutSeconds)} s, its time-out`);
  return outcome;
}

/** On the host a script's group has ended with it, but not what has left the group; it still has the job's token. */
function killStrays({ pid }: Container, env: Readonly<Record<string, string>>): void {
  const token = env['CI_JOB_TOKEN'];
  if (pid !== undefined && token) signalThose(marked(`CI_JOB_TOKEN=${token}`, pid), 'SIGKILL');
}

async function watchOver(place: ShellPlace, shell: Shell, container: Container): Promise<Outcome> {
  let ending: Outcome | undefined;
  let stopping: Promise<void> | undefined;
  const end = (outcome: Outcome) => {
    ending ??= outcome;
    stopping ??= stopAll(container, place.image !== undefined, place.clock);
  };
  const cancel = () => end({ kind: 'canceled' });
  const stopTimer = place.clock.timer(shell.timeoutSeconds * 1000, () =>
    end({ kind: 'timedOut', afterSeconds: shell.timeoutSeconds }),
  );
  shell.signal?.addEventListener('abort', cancel, { once: true });
  if (shell.signal?.aborted) cancel();
  const exit = await container.exited;
  stopTimer();
  shell.signal?.removeEventListener('abort', cancel);
  await stopping;
  return ending ?? outcomeOf(exit, place);
}

/** A process that was being made while the others were counted. */
const SECOND_LOOK_MS = 100;

/**
 * SIGTERM to every process, SIGKILL after the grace period. A container's stop reaches its first process (or, on the
 * host, its group), and a shell acts on a signal only when the program it waits for has ended: so all are told, also one
 * that the shell started meanwhile. What its traps start afterwards is left alone.
 */
async function stopAll(container: Container, contained: boolean, clock: Clock): Promise<void> {
  const { pid } = container;
  // One that runs elsewhere is told with all that it has started.
  if (pid === undefined) return container.stop(STOP_GRACE_MS).catch(() => undefined);
  const outside = (each: HostProcess) => contained || each.group !== pid;
  const told = descendants(pid);
  const stopped = container.stop(STOP_GRACE_MS);
  const until = ticksNow();
  signalThose(told.filter(outside), 'SIGTERM');
  const stopLooking = clock.timer(SECOND_LOOK_MS, () => {
    const missed = descendants(pid).filter(
      ({ pid: other, startTicks }) => Number(startTicks) <= until && !told.some((one) => one.pid === other),
    );
    signalThose(missed, 'SIGTERM');
  });
  await stopped.catch(() => undefined);
  stopLooking();
}

function outcomeOf(exit: ContainerExit, place: ShellPlace): Outcome {
  if (exit.kind === 'couldNotStart') {
    return { kind: 'couldNotRun', why: 'runner_system_failure', message: notStarted(exit.message, place) };
  }
  if (exit.code === 0) return { kind: 'passed' };
  const memory = exit.outOfMemory ? ' (out of memory)' : '';
  return { kind: 'failed', exitCode: exit.code, reason: `exit code ${exit.code}${memory}` };
}

/** What is missing is most often the shell: images that hold one program alone have none. */
function notStarted(message: string, { image, request }: ShellPlace): string {
  if (!image || !/"?\bsh"?: (executable file )?(not found|no such file)/i.test(message)) return message;
  return `the image ${request?.name ?? ''} has no shell (sh), which a job's script needs: ${message}`;
}

async function startContainer(
  place: ShellPlace,
  shell: Shell,
  env: Readonly<Record<string, string>>,
): Promise<Container> {
  const { image, log } = place;
  const onOutput = (chunk: Buffer) => log.bytes(chunk);
  return place.pod.start(
    {
      name: shell.name,
      command: commandOf(place, shell.name),
      env,
      workingDir: place.projectDir,
      ...(image ? files(place, image) : { rootFs: { layers: [] } }),
      ...userOf(place),
    },
    { onStdout: onOutput, onStderr: onOutput },
  );
}

/** As whom the image is to run. Elsewhere its pod was made so. */
export function userOf({ image, request }: ShellPlace): Pick<ContainerSpec, 'security'> {
  if (!image || image.reference) return {};
  const user = request?.user ?? image.image.config.config?.User;
  return user ? { security: { user } } : {};
}

/** Beside the job's variables of type file, none of which begins with a dot. */
const scriptFile = (name: string): string => `.${name}.sh`;

function commandOf({ image, request, temporaryDir, hostShell }: ShellPlace, name: string): readonly string[] {
  if (!image) return [hostShell ?? defaultHostShell(), path.join(temporaryDir.host, scriptFile(name))];
  const entrypoint = request?.entrypoint ?? image.image.config.config?.Entrypoint ?? [];
  return [
    ...entrypoint.filter((word) => word !== ''),
    ...shellCommand(`${temporaryDir.inside}/${scriptFile(name)}`),
  ];
}

export const defaultHostShell = (): string =>
  ['/usr/local/bin/bash', '/usr/bin/bash', '/bin/bash'].find((file) => existsSync(file)) ?? 'sh';

/** The image's files with what the job sees in them: its project, its temporary folder, its tools' socket. */
export const files = (place: ShellPlace, image: ResolvedImage): Pick<ContainerSpec, 'rootFs' | 'mounts'> =>
  image.reference ? { rootFs: { layers: [] } } : hostFiles(place, image);

const hostFiles = (place: ShellPlace, image: ResolvedImage): Pick<ContainerSpec, 'rootFs' | 'mounts'> => ({
  rootFs: { layers: image.layers, upper: place.rootUpper },
  mounts: [
    { kind: 'bind', source: place.workspace.dir, target: place.projectDir, readOnly: false },
    { kind: 'bind', source: place.temporaryDir.host, target: place.temporaryDir.inside, readOnly: false },
    ...place.mounts,
  ],
});
