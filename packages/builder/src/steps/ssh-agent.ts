import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import type { Undo } from '@updraft/kit';
import type { Mount } from '@updraft/pods';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import type { RunMount } from './run-mounts.ts';

type SshMount = Extract<RunMount, { type: 'ssh' }>;

/**
 * A socket for one command that leads to the user's agent: with the owner the command asked for, and gone with it. The keys
 * never leave the agent. undefined: no agent was given, and none is required.
 */
export async function sshAgent(
  build: Build,
  mount: SshMount,
  { index, folder, undo }: { index: number; folder: string; undo: Undo },
): Promise<{ mount: Mount; target: string } | undefined> {
  const agents = build.request.ssh ?? {};
  const agent = Object.hasOwn(agents, mount.id) ? agents[mount.id] : undefined;
  if (agent === undefined) {
    if (mount.required) throw new BuildFailure(`no SSH agent ${mount.id} was given to this build`);
    return undefined;
  }
  const name = `agent-${randomBytes(4).toString('hex')}`;
  const source = path.join(folder, name);
  const server = createServer((client) => {
    const upstream = connect(agent);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    client.pipe(upstream).pipe(client);
  });
  // Paths of sockets are short; by way of a descriptor every folder is near.
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`/proc/self/fd/${descriptor}/${name}`, resolve);
    });
  } finally {
    closeSync(descriptor);
  }
  undo.add(() => void server.close());
  await chown(source, mount.uid, mount.gid);
  await chmod(source, mount.mode);
  const target = mount.target ?? `/run/buildkit/ssh_agent.${index}`;
  return { target, mount: { kind: 'bind', source, target, readOnly: false } };
}
