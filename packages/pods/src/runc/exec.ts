import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Container, ContainerSpec, Process } from '../types.ts';
import { processOf } from './bundle.ts';
import type { Attempt } from './container.ts';
import { launch } from './launch.ts';
import type { Machine } from './machine.ts';
import { UnknownUser, findIdentity } from './users.ts';
import type { Identity } from './users.ts';

export interface ExecFacts {
  readonly machine: Machine;
  readonly attempt: Attempt;
  /** A folder of this exec's own. */
  readonly folder: string;
  readonly spec: ContainerSpec;
  readonly identity: Identity;
  readonly hostname: string;
  /** Of the container's first process. */
  readonly pid: number;
}

type ExecOptions = Parameters<Container['exec']>[1];

/** Runs another process in a running container. */
export async function execIn(
  facts: ExecFacts,
  command: readonly string[],
  options: ExecOptions,
): Promise<Process> {
  const { machine, attempt, folder } = facts;
  const identity = await identityFor(facts, options.user);
  if (identity instanceof UnknownUser)
    return {
      stdin: undefined,
      kill: async () => undefined,
      exited: Promise.resolve({ kind: 'couldNotStart', message: identity.message }),
    };
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'process.json');
  await writeFile(file, JSON.stringify(execProcess(facts, command, { options, identity })), { mode: 0o600 });
  const launched = await launch({
    state: machine.state,
    folder,
    command: ['exec', '--process', file],
    container: attempt.id,
    streams: options,
    terminal: options.terminal ?? false,
    clock: machine.clock,
  });
  let ended = false;
  const finish = async () => {
    const end = await launched.ended;
    ended = true;
    await rm(folder, { recursive: true, force: true });
    return end.kind === 'exited' ? { ...end, outOfMemory: false } : end;
  };
  return {
    stdin: launched.stdin,
    exited: finish(),
    resize: (columns, rows) => {
      if (!ended) launched.resize?.(columns, rows);
    },
    kill: async (signal) => launched.signal(signal),
  };
}

function execProcess(
  { spec, hostname, machine }: ExecFacts,
  command: readonly string[],
  { options, identity }: { options: ExecOptions; identity: Identity },
): object {
  return processOf(
    {
      ...spec,
      command,
      env: options.env ?? spec.env,
      workingDir: options.workingDir ?? spec.workingDir,
      terminal: options.terminal ?? false,
    },
    { identity, hostname, availableCapabilities: machine.capabilities },
  );
}

async function identityFor(
  { identity, pid }: ExecFacts,
  user: string | undefined,
): Promise<Identity | UnknownUser> {
  if (user === undefined) return identity;
  try {
    // As the container sees it: of an adopted one the root is mounted in its own view alone.
    return await findIdentity(`/proc/${pid}/root`, user);
  } catch (error) {
    if (error instanceof UnknownUser) return error;
    throw error;
  }
}
