import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@updraft/kit';
import type { Container, ContainerExit, ContainerSpec, Mount, Pod } from '@updraft/pods';
import type { ImageRequest } from '@updraft/gitlab-ci';
import type { JobLog } from './log.ts';
import type { Outcome } from './outcome.ts';
import { shellCommand, shellScript } from './script.ts';
import type { Workspace } from './workspace.ts';
import type { ResolvedImage } from '../ports.ts';

/** How long a script may take to end by itself once it is told to. */
const STOP_GRACE_MS = 2000;

/** Where a job's shells run. Two of them share files, not processes: script, then after_script. */
export interface ShellPlace {
  readonly pod: Pod;
  readonly image: ResolvedImage | undefined;
  readonly request: ImageRequest | undefined;
  /** The container's writes; kept from script to after_script. */
  readonly rootUpper: string;
  readonly workspace: Workspace;
  readonly projectDir: string;
  readonly temporaryDir: { readonly host: string; readonly inside: string };
  readonly mounts: readonly Mount[];
  readonly env: Readonly<Record<string, string>>;
  readonly log: JobLog;
  readonly clock: Clock;
}

export interface Shell {
  readonly name: string;
  readonly commands: readonly string[];
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal | undefined;
}

/** Runs commands in one shell to their end, their time-out or the user's cancel. */
export async function runShell(place: ShellPlace, shell: Shell): Promise<Outcome> {
  const file = path.join(place.temporaryDir.host, shell.name);
  await writeFile(file, shellScript(place.projectDir, shell.commands), { mode: 0o755 });
  if (shell.signal?.aborted) return { kind: 'canceled' };
  const container = await startContainer(place, shell);
  let ending: Outcome | undefined;
  const end = (outcome: Outcome) => {
    ending ??= outcome;
    void container.stop(STOP_GRACE_MS).catch(() => undefined);
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
  place.log.flush();
  return ending ?? outcomeOf(exit);
}

function outcomeOf(exit: ContainerExit): Outcome {
  if (exit.kind === 'couldNotStart') {
    return { kind: 'couldNotRun', why: 'runner_system_failure', message: exit.message };
  }
  if (exit.code === 0) return { kind: 'passed' };
  const memory = exit.outOfMemory ? ' (out of memory)' : '';
  return { kind: 'failed', exitCode: exit.code, reason: `exit code ${exit.code}${memory}` };
}

async function startContainer(place: ShellPlace, shell: Shell): Promise<Container> {
  const { image, request, log } = place;
  const config = image?.image.config.config ?? {};
  const entrypoint = request?.entrypoint ?? config.Entrypoint ?? [];
  const inside = image ? place.temporaryDir.inside : place.temporaryDir.host;
  const user = request?.user ?? config.User;
  const onOutput = (chunk: Buffer) => log.bytes(chunk);
  return place.pod.start(
    {
      name: shell.name,
      command: [...entrypoint.filter((word) => word !== ''), ...shellCommand(`${inside}/${shell.name}`)],
      env: place.env,
      workingDir: place.projectDir,
      ...(image ? files(place, image) : { rootFs: { layers: [] } }),
      ...(user ? { security: { user } } : {}),
    },
    { onStdout: onOutput, onStderr: onOutput },
  );
}

/** The image's files with what the job sees in them: its project, its temporary folder, its tools' socket. */
const files = (place: ShellPlace, image: ResolvedImage): Pick<ContainerSpec, 'rootFs' | 'mounts'> => ({
  rootFs: { layers: image.layers, upper: place.rootUpper },
  mounts: [
    { kind: 'bind', source: place.workspace.dir, target: place.projectDir, readOnly: false },
    { kind: 'bind', source: place.temporaryDir.host, target: place.temporaryDir.inside, readOnly: false },
    ...place.mounts,
  ],
});
