import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { ToolEvent } from '@updraft/control';
import {
  fileSummaryCache,
  loadAdvisories,
  scanCommand,
  scanImageFromStore,
  trivyCommand,
} from '@updraft/gates';
import type { Advisories, ScanImage, TrivyIo } from '@updraft/gates';
import type { ImageStore } from '@updraft/oci';
import type { DaemonConfig } from '../config.ts';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import type { ImageFinder } from './source.ts';

interface ScanParts {
  readonly config: DaemonConfig;
  readonly clock: Clock;
  readonly store: ImageStore;
  readonly images: ImageFinder;
}

/** A scan's command line with the files and streams of whoever called it. */
export interface ScanCall extends Pick<TrivyIo, 'env' | 'readFile' | 'writeFile' | 'stdout' | 'stderr'> {
  readonly argv: readonly string[];
  /** Folder or file of OSV records. */
  readonly advisories: string | undefined;
  readonly signal: AbortSignal;
}

/** Reading advisories takes a second or more: they are kept while their files stay as they are. */
const loaded = new Map<string, { readonly version: string; readonly advisories: Promise<Advisories> }>();

/** Trivy's command line, inside a job. */
export const scanImage = (parts: ScanParts, call: ScanCall): Promise<number> =>
  trivyCommand(call.argv, scanIo(parts, call));

function scanIo(parts: ScanParts, call: ScanCall): TrivyIo {
  const { clock, store, images } = parts;
  return {
    env: call.env,
    readFile: call.readFile,
    writeFile: call.writeFile,
    stdout: call.stdout,
    stderr: call.stderr,
    stdin: () => Promise.resolve(''),
    clock,
    summaries: fileSummaryCache(path.join(parts.config.home, 'scans')),
    advisories: async () => (call.advisories === undefined ? undefined : load(call.advisories)),
    image: (reference) => findForScan(store, images, reference, call),
  };
}

async function load(place: string): Promise<Advisories> {
  const version = await versionOf(place);
  const known = loaded.get(place);
  if (known?.version === version) return known.advisories;
  const advisories = loadAdvisories(place);
  loaded.set(place, { version, advisories });
  // A place that could not be read may be readable the next time.
  advisories.catch(() => loaded.delete(place));
  return advisories;
}

/** Changes when a file below changes; a place that is not there is the loader's to complain about. */
async function versionOf(place: string): Promise<string> {
  const names = await readdir(place).catch(() => []);
  const files = [place, ...names.map((name) => path.join(place, name))];
  const times = await Promise.all(
    files.map((file) =>
      stat(file).then(
        (status) => status.mtimeMs,
        () => 0,
      ),
    ),
  );
  return times.join(' ');
}

async function findForScan(
  store: ImageStore,
  images: ImageFinder,
  reference: string,
  call: ScanCall,
): Promise<ScanImage | 'notFound'> {
  const here = await scanImageFromStore(store, reference);
  if (here !== 'notFound') return here;
  try {
    const found = await images.find(reference, {
      policy: 'if-not-present',
      credentials: undefined,
      onLog: (line) => call.stderr(`${line}\n`),
      signal: call.signal,
    });
    for (const note of found.notes) call.stderr(`note: ${note}\n`);
    return await scanImageFromStore(store, found.image.digest);
  } catch (error) {
    if (codeOf(error) === 'IMAGE_NOT_FOUND') return 'notFound';
    throw error;
  }
}

/** `updraft scan`. */
export async function* scanStream(
  platform: Platform,
  asked: { readonly argv: readonly string[]; readonly cwd: string; readonly advisories?: string },
  signal: AbortSignal,
): AsyncIterable<ToolEvent> {
  const queue = new EventQueue<ToolEvent>();
  const file = (name: string) => path.resolve(asked.cwd, name);
  const io = scanIo(platform, {
    argv: asked.argv,
    env: {},
    advisories: asked.advisories ?? platform.config.advisories,
    readFile: (name) => readIfPresent(file(name)),
    writeFile: async (name, text) => {
      await mkdir(path.dirname(file(name)), { recursive: true });
      await writeFile(file(name), text);
    },
    stdout: (text) => queue.push({ type: 'output', stream: 'stdout', text }),
    stderr: (text) => queue.push({ type: 'output', stream: 'stderr', text }),
    signal,
  });
  const finished = scanCommand(asked.argv, io)
    .then((code) => queue.push({ type: 'exit', code }))
    .finally(() => queue.end());
  finished.catch(() => undefined);
  yield* queue;
  await finished;
}

async function readIfPresent(name: string): Promise<string | undefined> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EISDIR') return undefined;
    throw error;
  }
}
