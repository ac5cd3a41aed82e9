import { chmod, mkdir, open, rm, stat } from 'node:fs/promises';
import { constants, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Fault, codeOf, resolveInRoot } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import type { Builder } from '@updraft/builder';
import { hadolintCommand, shellcheckProgram } from '@updraft/gates';
import type { ImageStore } from '@updraft/oci';
import type { ToolHost, ToolJob } from '@updraft/runner';
import { createToolHandler, kanikoCommand } from '@updraft/stand-ins';
import type { ToolCall, ToolIo, ToolProgram } from '@updraft/stand-ins';
import type { DaemonConfig } from './config.ts';
import { scanImage } from './images/scan.ts';
import type { ImageFinder } from './images/source.ts';
import type { RegistrySecrets } from './secrets.ts';
import { StillProject } from './still-project.ts';

export interface ToolParts {
  readonly config: DaemonConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: ImageStore;
  readonly builder: Builder;
  readonly images: ImageFinder;
  readonly secrets: RegistrySecrets;
  readonly registryHost: string;
}

/** Where a job finds its socket. */
const INSIDE = '/run/updraft';

/** A Unix socket for each job that runs a tool image; it is gone with the job. */
export function createToolHost(parts: ToolParts): ToolHost {
  rmSync(path.join(parts.config.home, 'run', 'tools'), { recursive: true, force: true });
  return {
    async attach(job) {
      const dir = path.join(parts.config.home, 'run', 'tools', randomBytes(8).toString('hex'));
      await mkdir(dir, { recursive: true, mode: 0o755 });
      const server = createServer(createToolHandler(programs(parts, job), job.signal));
      const socket = path.join(dir, 'tools.sock');
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(socket, resolve);
      });
      // The folder is mounted into that one job only; its user may be anyone.
      await chmod(socket, 0o666);
      return {
        mounts: [{ kind: 'bind', source: dir, target: INSIDE, readOnly: true }],
        env: { UPDRAFT_TOOLS_SOCKET: `${INSIDE}/tools.sock` },
        close: async () => {
          server.closeAllConnections();
          server.close();
          await rm(dir, { recursive: true, force: true });
        },
      };
    },
  };
}

function programs(parts: ToolParts, job: ToolJob): Readonly<Record<string, ToolProgram>> {
  return {
    kaniko: (call, io) => kaniko(parts, job, call, io),
    hadolint: (call, io) => hadolint(job, call, io),
    trivy: (call, io) => trivy(parts, job, call, io),
  };
}

function kaniko(parts: ToolParts, job: ToolJob, call: ToolCall, io: ToolIo): Promise<number> {
  const { secrets } = parts;
  return kanikoCommand(call.argv, {
    builder: parts.builder,
    store: parts.store,
    registryHost: parts.registryHost,
    mayPush: ({ username, password }) => username === secrets.pushUser && password === secrets.pushPassword,
    files: {
      hostPath: (inside) => hostPath(job, inside),
      readText: (inside) => readJobFile(job, inside),
      writeText: io.writeFile,
    },
    cwd: call.cwd,
    env: call.env,
    timestampMs: job.timestampMs,
    signal: io.signal,
    out: (line) => io.write('stdout', `${line}\n`),
  });
}

async function hadolint(job: ToolJob, call: ToolCall, io: ToolIo): Promise<number> {
  const shellcheck = await shellcheckProgram();
  return hadolintCommand(call.argv, {
    readFile: (file) => readJobFile(job, path.posix.resolve(call.cwd, file)),
    stdin: () => stdinOf(call),
    stdout: (text) => io.write('stdout', text),
    stderr: (text) => io.write('stderr', text),
    env: call.env,
    ...(shellcheck ? { shellcheck } : {}),
  });
}

/** The entry point sends it along when the command line asks for it. */
const stdinOf = ({ stdin }: ToolCall): Promise<string> =>
  stdin === undefined
    ? Promise.reject(new Fault('STDIN_UNSUPPORTED', 'standard input was not passed on: name a file'))
    : Promise.resolve(stdin);

async function trivy(parts: ToolParts, job: ToolJob, call: ToolCall, io: ToolIo): Promise<number> {
  const still = new StillProject(job, path.join(parts.config.home, 'run', 'tools'));
  try {
    return await scan(parts, job, { call, io, still });
  } finally {
    await still.remove();
  }
}

function scan(
  parts: ToolParts,
  job: ToolJob,
  { call, io, still }: { readonly call: ToolCall; readonly io: ToolIo; readonly still: StillProject },
): Promise<number> {
  return scanImage(parts, {
    argv: call.argv,
    env: call.env,
    advisories: parts.config.advisories,
    stdin: () => stdinOf(call),
    locate: (name) => still.place(path.posix.resolve(call.cwd, name)),
    readFile: (file) => readJobFile(job, path.posix.resolve(call.cwd, file)),
    writeFile: async (file, text) => io.writeFile(path.posix.resolve(call.cwd, file), text),
    stdout: (text) => io.write('stdout', text),
    stderr: (text) => io.write('stderr', text),
    signal: io.signal,
  });
}

/** In the project folder; elsewhere what the job wrote. Links are followed as inside the job, never out of it. */
async function hostPath(job: ToolJob, inside: string): Promise<string> {
  const relative = path.posix.relative(job.projectDir, inside);
  if (!relative.startsWith('..')) return resolveInRoot(job.hostProjectDir, relative);
  return resolveInRoot(job.rootUpper, inside);
}

/** A regular file as the job sees it; undefined when there is none. */
async function readJobFile(job: ToolJob, inside: string): Promise<string | undefined> {
  const relative = path.posix.relative(job.projectDir, inside);
  if (!relative.startsWith('..')) return readPlainFile(await resolveInRoot(job.hostProjectDir, relative));
  for (const root of [job.rootUpper, ...job.rootLayers]) {
    const file = await resolveInRoot(root, inside);
    const found = await stat(file).catch(() => undefined);
    // A device here is overlayfs' mark for a file that was removed.
    if (found) return found.isFile() ? readPlainFile(file) : undefined;
  }
  return undefined;
}

async function readPlainFile(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return (await handle.stat()).isFile() ? await handle.readFile('utf8') : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
