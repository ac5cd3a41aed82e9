import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { resolveInRoot } from '@updraft/kit';
import type { Undo } from '@updraft/kit';
import type { Stage } from '@updraft/dockerfile';
import type { Mount } from '@updraft/pods';
import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { copyTree } from '../files/copy-tree.ts';
import { openMergedRoot, statusOf } from '../files/merged-root.ts';
import { EVERYTHING, readTree } from '../files/source-tree.ts';
import type { KeyPart } from '../key.ts';
import { cacheMount, cacheStart } from './cache-mount.ts';
import { originDigest } from './origin-digest.ts';
import { findOrigin } from './origin.ts';
import type { RunMount } from './run-mounts.ts';
import { sshAgent } from './ssh-agent.ts';

export interface PreparedMounts {
  readonly mounts: Mount[];
  /** Secrets that were asked for as variables. */
  readonly variables: Record<string, string>;
}

/** What of a mount the result of a command depends on. Contents of caches and secrets are not among it. */
export async function mountKey(build: Build, stage: Stage, mount: RunMount): Promise<KeyPart> {
  if (mount.type === 'bind') {
    const origin = await findOrigin(build, stage, mount.from);
    const sources = { patterns: [mount.source], exclude: [], parents: false };
    return ['bind', mount.target, mount.writable, await originDigest(build, origin, sources)];
  }
  if (mount.type === 'secret') return ['secret', mount.target, mount.id, mount.variable];
  if (mount.type === 'ssh') return ['ssh', mount.target, mount.id];
  if (mount.type === 'cache') return ['cache', mount.target, await cacheStart(build, stage, mount)];
  return [mount.type, mount.target];
}

/** Makes the sources of the mounts ready; `undo` takes them away after the command. `folder` is a scratch folder. */
export async function prepareMounts(
  build: Build,
  stage: Stage,
  wanted: readonly RunMount[],
  { folder, undo }: { folder: string; undo: Undo },
): Promise<PreparedMounts> {
  const prepared: PreparedMounts = { mounts: [], variables: {} };
  for (const [index, mount] of wanted.entries()) {
    const own = path.join(folder, `mount-${index}`);
    await mkdir(own, { mode: 0o700 });
    const where = { folder: own, undo };
    if (mount.type === 'tmpfs') prepared.mounts.push(tmpfsMount(mount));
    else if (mount.type === 'cache') prepared.mounts.push(await cacheMount(build, stage, mount, where));
    else if (mount.type === 'bind') prepared.mounts.push(await bindMount(build, stage, mount, where));
    else if (mount.type === 'secret') await addSecret(build, mount, own, prepared);
    else await addAgent(build, mount, { ...where, index }, prepared);
  }
  return prepared;
}

type MountOf<Type extends RunMount['type']> = Extract<RunMount, { type: Type }>;

function tmpfsMount({ target, sizeBytes }: MountOf<'tmpfs'>): Mount {
  return { kind: 'tmpfs', target, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
}

async function addAgent(
  build: Build,
  mount: MountOf<'ssh'>,
  where: { index: number; folder: string; undo: Undo },
  prepared: PreparedMounts,
): Promise<void> {
  const agent = await sshAgent(build, mount, where);
  if (!agent) return;
  prepared.mounts.push(agent.mount);
  // The first one is the one that programs find.
  prepared.variables['SSH_AUTH_SOCK'] ??= agent.target;
}

/** A stage's or image's files come as an overlay of their own, a context's as a copy: neither can be changed by the command. */
async function bindMount(
  build: Build,
  stage: Stage,
  mount: MountOf<'bind'>,
  { folder, undo }: { folder: string; undo: Undo },
): Promise<Mount> {
  const origin = await findOrigin(build, stage, mount.from);
  const common = { kind: 'bind', target: mount.target, readOnly: !mount.writable } as const;
  if (origin.kind === 'layers') {
    const root = await openMergedRoot(build.workshop.store, origin.layers, folder, mount.writable);
    undo.add(() => root.close());
    const source = await resolveInRoot(root.path, mount.source);
    if (!(await statusOf(source)))
      throw new BuildFailure(`--mount: ${mount.source} is not in ${mount.from ?? ''}`);
    return { ...common, source };
  }
  const tree = await readTree(origin.root, mount.source, EVERYTHING, build.workshop);
  if (tree.entries.length === 0)
    throw new BuildFailure(`--mount: ${mount.source} is not in the build context`);
  const source = path.join(folder, 'files');
  await copyTree(
    tree,
    source,
    { owner: undefined, mode: undefined, timestampMs: build.timestampMs },
    build.workshop.clock,
  );
  return { ...common, source };
}

async function addSecret(
  build: Build,
  mount: MountOf<'secret'>,
  folder: string,
  prepared: PreparedMounts,
): Promise<void> {
  const secrets = build.request.secrets ?? {};
  const secret = Object.hasOwn(secrets, mount.id) ? secrets[mount.id] : undefined;
  if (!secret) {
    if (mount.required) throw new BuildFailure(`the secret ${mount.id} was not given to this build`);
    return;
  }
  const content = secret.kind === 'file' ? await readFile(secret.path) : Buffer.from(secret.value);
  if (mount.variable !== undefined) prepared.variables[mount.variable] = content.toString('utf8');
  if (mount.target === undefined) return;
  const source = path.join(folder, 'secret');
  await writeFile(source, content, { mode: 0o600, flag: 'wx' });
  await chown(source, mount.uid, mount.gid);
  await chmod(source, mount.mode);
  prepared.mounts.push({ kind: 'bind', source, target: mount.target, readOnly: true });
}
