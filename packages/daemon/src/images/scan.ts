import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import type { ToolEvent } from '@updraft/control';
import { fileSummaryCache, provideAdvisories, scanCommand, trivyCommand } from '@updraft/gates';
import type { AdvisoryRequest, ScanImage, TrivyIo } from '@updraft/gates';
import { importArchive, importOciLayout } from '@updraft/oci';
import type { Credentials, ImageStore } from '@updraft/oci';
import type { DaemonConfig } from '../config.ts';
import type { Platform } from '../platform.ts';
import { EventQueue } from '../server/queue.ts';
import { scannable } from './scannable.ts';
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
  /** Folder, file or URL of OSV records, or `osv`; undefined: what osv.dev exports. */
  readonly advisories: string | undefined;
  readonly signal: AbortSignal;
  /** Standard input; absent where it is not passed on. */
  readonly stdin?: () => Promise<string>;
  /**
   * Where a path of the caller's lies on this machine; without it folders and archives cannot be scanned. Nothing that the
   * caller may not read may be reached by it.
   */
  readonly locate?: (name: string) => Promise<string>;
}

/** Trivy's command line, inside a job. */
export const scanImage = (parts: ScanParts, call: ScanCall): Promise<number> =>
  trivyCommand(call.argv, scanIo(parts, call));

function scanIo(parts: ScanParts, call: ScanCall): TrivyIo {
  const { clock, store, images, config } = parts;
  const { locate } = call;
  return {
    env: call.env,
    readFile: call.readFile,
    writeFile: call.writeFile,
    stdout: call.stdout,
    stderr: call.stderr,
    stdin: call.stdin ?? (() => Promise.resolve('')),
    clock,
    summaries: fileSummaryCache(path.join(config.home, 'scans')),
    advisories: (request) => openAdvisories(parts, call, request),
    image: (reference) => findForScan(store, images, reference, call),
    ...(locate && {
      folder: async (name) => folderAt(await locate(name)),
      input: async (name) => importForScan(store, await locate(name)),
    }),
  };
}

/** What the user named, else what the daemon was started with, else what osv.dev exports. */
function openAdvisories(
  { config, clock }: ScanParts,
  { advisories, signal }: ScanCall,
  { location, isOffline, ecosystems, onLog }: AdvisoryRequest,
) {
  return provideAdvisories({
    location: location ?? advisories ?? 'osv',
    ecosystems,
    home: path.join(config.home, 'advisories'),
    clock,
    fetch: (url, init) => fetch(url, init),
    offline: isOffline,
    signal,
    onLog,
  });
}

async function folderAt(place: string): Promise<string | undefined> {
  return (await kindOf(place)) === 'folder' ? place : undefined;
}

async function kindOf(place: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(place)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** An OCI layout, or an archive: of `docker save`, or a layout in a tar. Its blobs go into the store, without a name. */
async function importForScan(store: ImageStore, place: string): Promise<ScanImage | 'notFound'> {
  const kind = await kindOf(place);
  if (kind === undefined) return 'notFound';
  if (kind === 'folder') {
    return scannable(store, (await importOciLayout(store, place)).digest);
  }
  const [first] = await importArchive(store, place);
  return first === undefined ? 'notFound' : scannable(store, first.image.digest);
}

async function findForScan(
  store: ImageStore,
  images: ImageFinder,
  reference: string,
  call: ScanCall,
): Promise<ScanImage | 'notFound'> {
  const here = await scannable(store, reference);
  if (here !== 'notFound') return here;
  try {
    const find = (credentials: Credentials | undefined) =>
      images.find(reference, {
        policy: 'if-not-present',
        credentials,
        onLog: (line) => call.stderr(`${line}\n`),
        signal: call.signal,
      });
    const given = signedIn(call.env);
    // What was given may be for another registry: whoever asks nobody in particular may be let in all the same.
    const found = await find(given).catch((error: unknown) => {
      if (given && codeOf(error) === 'IMAGE_FORBIDDEN') return find(undefined);
      throw error;
    });
    for (const note of found.notes) call.stderr(`note: ${note}\n`);
    return await scannable(store, found.image.digest);
  } catch (error) {
    if (codeOf(error) === 'IMAGE_NOT_FOUND') return 'notFound';
    throw error;
  }
}

/** As Trivy is told who asks a private registry. */
function signedIn(env: ScanCall['env']): Credentials | undefined {
  const { TRIVY_USERNAME: username, TRIVY_PASSWORD: password } = env;
  return username && password ? { username, password } : undefined;
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
    locate: (name) => Promise.resolve(file(name)),
    readFile: (name) => readIfPresent(file(name)),
    writeFile: async (name, text) => {
      await mkdir(path.dirname(file(name)), { recursive: true });
      await writeFile(file(name), text);
    },
    stdout: (text) => queue.push({ type: 'output', stream: 'stdout', text }),
    stderr: (text) => queue.push({ type: 'output', stream: 'stderr', text }),
    signal,
  });
  const finished = runScan(asked.argv, io)
    .then((code) => queue.push({ type: 'exit', code }))
    .finally(() => queue.end());
  finished.catch(() => undefined);
  yield* queue;
  await finished;
}

/** Trivy's word for what is scanned may come first; without one it is an image. */
function runScan(argv: readonly string[], io: TrivyIo): Promise<number> {
  const isSubject = ['image', 'fs', 'rootfs', 'sbom'].includes(argv[0] ?? '') && argv.length > 1;
  return isSubject ? trivyCommand(argv, io) : scanCommand(argv, io);
}

async function readIfPresent(name: string): Promise<string | undefined> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EISDIR') return undefined;
    throw error;
  }
}
