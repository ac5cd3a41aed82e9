import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Undo } from '@updraft/kit';
import type { Container, ContainerSpec } from '@updraft/pods';
import { restoreArtifacts } from '../job/artifacts.ts';
import { restoreCaches } from '../job/cache/caches.ts';
import { cachePlace } from '../job/execute.ts';
import type { Execution } from '../job/execution.ts';
import { JobLog } from '../job/log.ts';
import { openShell } from '../job/open-shell.ts';
import { prepare, showFiles } from '../job/prepare.ts';
import { divideEnvironment, quote } from '../job/script.ts';
import { defaultHostShell, files, userOf } from '../job/shell.ts';
import type { ShellPlace } from '../job/shell.ts';

/** Where a shell in a job reads and writes. */
export interface ShellStreams {
  readonly stdin: Readable;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
  /** The size of the user's terminal; undefined: there is none. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  /** Empty: an interactive shell. */
  readonly command: readonly string[];
}

export interface ShellSession {
  /** The files are those the failed job left, not fresh ones. */
  readonly resumed: boolean;
  /** The exit code, once everything is put away. */
  readonly ended: Promise<number>;
  resize(columns: number, rows: number): void;
}

/** A folder in a job's output where the files of a job that failed are kept. */
export const keptDir = (outputDir: string): string => path.join(outputDir, 'kept');

/**
 * Opens a shell where a job runs: its image, services, variables, and its files as it left them when it failed, else as
 * it found them. What is changed in a failed job's files is there the next time. Ends when `signal` is aborted.
 */
export async function openJobShell(execution: Execution, streams: ShellStreams): Promise<ShellSession> {
  const undo = new Undo();
  try {
    const { place, resumed } = await furnish(execution, streams, undo);
    const container = await startSession(place, streams);
    const end = () => void container.stop(1000);
    execution.signal.addEventListener('abort', end, { once: true });
    if (execution.signal.aborted) end();
    const finish = async (): Promise<number> => {
      const exit = await container.exited;
      if (exit.kind === 'couldNotStart') streams.onStderr(Buffer.from(`${exit.message}\n`));
      await undo.close();
      return exit.kind === 'exited' ? exit.code : 127;
    };
    return { resumed, ended: finish(), resize: (columns, rows) => container.resize?.(columns, rows) };
  } catch (error) {
    await undo.close();
    throw error;
  }
}

/** Everything up to the script, as for the job itself. */
async function furnish(
  execution: Execution,
  streams: ShellStreams,
  undo: Undo,
): Promise<{ place: ShellPlace; resumed: boolean }> {
  const log = new JobLog([], (text) => streams.onStderr(Buffer.from(text)));
  const prepared = await prepare(execution, log, undo);
  const { workspace } = prepared;
  const kept = keptDir(execution.outputDir);
  const resumed = existsSync(kept);
  if (resumed) {
    await workspace.resume(kept);
    workspace.keep(kept);
  }
  const place = await openShell(execution, prepared, undo);
  await showFiles(execution, prepared);
  if (!resumed) {
    await restoreCaches(cachePlace(execution, prepared), execution.input.job.caches);
    await restoreArtifacts(execution.incoming, workspace, log);
  }
  await place.pod.files?.put(workspace.dir, place.projectDir);
  log.flush();
  return { place, resumed };
}

const SCRIPT = 'session';

async function startSession(place: ShellPlace, streams: ShellStreams): Promise<Container> {
  const { image, temporaryDir, pod } = place;
  const { exports, process } = divideEnvironment(place.env);
  const command = streams.command.map(quote).join(' ');
  const lines = [
    ...Object.entries(exports).map(([key, value]) => `export ${key}=${quote(value)}`),
    `cd ${quote(place.projectDir)}`,
    command === ''
      ? 'if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi'
      : `exec ${command}`,
  ];
  await writeFile(path.join(temporaryDir.host, SCRIPT), `${lines.join('\n')}\n`, { mode: 0o755 });
  await place.pod.files?.put(temporaryDir.host, temporaryDir.inside);
  const term: Record<string, string> = streams.terminal ? { TERM: 'xterm-256color' } : {};
  const spec: ContainerSpec = {
    name: SCRIPT,
    env: { ...place.imageEnv, ...process, ...term },
    workingDir: place.projectDir,
    command: sessionCommand(place, streams),
    ...(image
      ? { ...files(place, image), terminal: streams.terminal !== undefined }
      : { rootFs: { layers: [] } }),
    ...userOf(place),
  };
  const container = await pod.start(spec, streams);
  if (streams.terminal) container.resize?.(streams.terminal.columns, streams.terminal.rows);
  return container;
}

/** On the host there is no container that could have a terminal: util-linux' `script` makes one. */
function sessionCommand(
  { image, request, temporaryDir }: ShellPlace,
  streams: ShellStreams,
): readonly string[] {
  if (image) {
    const entrypoint = request?.entrypoint ?? image.image.config.config?.Entrypoint ?? [];
    return [...entrypoint.filter((word) => word !== ''), 'sh', `${temporaryDir.inside}/${SCRIPT}`];
  }
  const file = path.join(temporaryDir.host, SCRIPT);
  if (!streams.terminal) return [defaultHostShell(), file];
  const { columns, rows } = streams.terminal;
  return [
    'script',
    '--quiet',
    '--return',
    '--flush',
    '--command',
    `stty cols ${columns} rows ${rows}; exec sh ${quote(file)}`,
    '/dev/null',
  ];
}
