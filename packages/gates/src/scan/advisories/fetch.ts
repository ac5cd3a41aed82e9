import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { AdvisoryFault } from './fault.ts';
import { readZip } from './zip.ts';

/** The part of `fetch` that is needed. */
export type Fetch = (
  url: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<Response>;

export interface FetchOptions {
  /** Where downloads are kept. */
  readonly folder: string;
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** Takes what is kept and asks nobody. */
  readonly offline: boolean;
  readonly signal: AbortSignal;
  readonly onLog: (line: string) => void;
}

/** A file that came over the network and was found whole. */
export interface Download {
  readonly file: string;
  /** When its maker made it; when it was fetched where that is not said. */
  readonly dateMs: number;
}

interface Kept {
  readonly url: string;
  readonly etag?: string;
  readonly dateMs: number;
  /** When the maker was last asked. */
  readonly askedMs: number;
}

/** Kept files are asked about again after this long. */
const FRESH_MS = 12 * 60 * 60 * 1000;
/** A maker who does not answer is left alone for this long. */
const RETRY_MS = 10 * 60 * 1000;
const ANSWER_MS = 15_000;
const MAX_BYTES = 4 * 1024 * 1024 * 1024;

const failedAtMs = new Map<string, number>();

/**
 * Fetches a file of advisories, or takes the kept one: while it is fresh, when its maker has nothing newer, and when the
 * network fails (which is said). Whole: length, the server's checksum and, for a zip, every member's are compared before
 * the new file takes the old one's place.
 * @throws AdvisoryFault ADVISORIES_NOT_FETCHED when there is neither an answer nor a kept file
 */
export async function fetchAdvisories(url: string, options: FetchOptions): Promise<Download> {
  const name = `${createHash('sha256').update(url).digest('hex').slice(0, 20)}${fileEnd(url)}`;
  const file = path.join(options.folder, name);
  const kept = await readKept(file);
  const now = options.clock.now();
  const isFresh = kept !== undefined && now - kept.askedMs < FRESH_MS;
  if (kept !== undefined && (isFresh || options.offline)) return { file, dateMs: kept.dateMs };
  if (options.offline) throw notFetched(url, 'nothing is kept, and downloads are switched off');
  try {
    return await refreshOnce(url, file, kept, options);
  } catch (error) {
    options.signal.throwIfAborted();
    failedAtMs.set(new URL(url).host, now);
    if (kept === undefined) throw error;
    options.onLog(`the advisories could not be refreshed: ${messageOf(error)}`);
    return { file, dateMs: kept.dateMs };
  }
}

function fileEnd(url: string): string {
  return /\.(?:zip|(?:ndjson|jsonl|json)(?:\.gz)?)$/.exec(new URL(url).pathname)?.[0] ?? '.json';
}

async function readKept(file: string): Promise<Kept | undefined> {
  const text = await readTextIfPresent(`${file}.source`);
  if (
    text === undefined ||
    !(await stat(file).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return undefined;
  }
}

const underway = new Map<string, Promise<Download>>();

/** Who wants a file that is being fetched waits for it. */
async function refreshOnce(
  url: string,
  file: string,
  kept: Kept | undefined,
  options: FetchOptions,
): Promise<Download> {
  const known = underway.get(file);
  if (known !== undefined) return known;
  const fetched = refresh(url, file, kept, options);
  underway.set(file, fetched);
  try {
    return await fetched;
  } finally {
    underway.delete(file);
  }
}

async function refresh(
  url: string,
  file: string,
  kept: Kept | undefined,
  options: FetchOptions,
): Promise<Download> {
  const now = options.clock.now();
  if (now - (failedAtMs.get(new URL(url).host) ?? -Infinity) < RETRY_MS)
    throw notFetched(url, 'it did not answer a moment ago');
  const response = await ask(url, kept, options);
  if (response.status === 304 && kept !== undefined) {
    await keep(file, { ...kept, askedMs: now });
    return { file, dateMs: kept.dateMs };
  }
  if (!response.ok || response.body === null) throw notFetched(url, `the answer was ${response.status}`);
  if (kept === undefined) options.onLog(`fetching advisories from ${new URL(url).host}`);
  await save(response, url, file, options);
  const madeMs = Date.parse(response.headers.get('last-modified') ?? '');
  const dateMs = Number.isNaN(madeMs) ? now : madeMs;
  const etag = response.headers.get('etag');
  await keep(file, { url, dateMs, askedMs: now, ...(etag !== null && { etag }) });
  return { file, dateMs };
}

async function ask(url: string, kept: Kept | undefined, options: FetchOptions): Promise<Response> {
  const late = new AbortController();
  const done = new AbortController();
  // The wait ends with the headers; the body of a large file takes as long as it takes.
  options.clock.sleep(ANSWER_MS, done.signal).then(
    () => late.abort(new Error('no answer in time')),
    () => undefined,
  );
  try {
    return await options.fetch(url, {
      headers: kept?.etag === undefined ? {} : { 'if-none-match': kept.etag },
      signal: AbortSignal.any([options.signal, late.signal]),
    });
  } catch (error) {
    throw notFetched(url, messageOf(error), error);
  } finally {
    done.abort();
  }
}

async function save(
  response: Response,
  url: string,
  file: string,
  { folder, signal }: FetchOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = `${file}.part`;
  try {
    const { bytes, md5 } = await write(response, temporary, signal);
    const length = response.headers.get('content-length');
    const isPacked = response.headers.has('content-encoding');
    if (length !== null && !isPacked && Number(length) !== bytes) throw notFetched(url, 'it was cut off');
    // What Google's storage, where osv.dev keeps its exports, says of the content.
    const stated = /md5=([A-Za-z0-9+/=]+)/.exec(response.headers.get('x-goog-hash') ?? '')?.[1];
    if (stated !== undefined && !isPacked && stated !== md5)
      throw notFetched(url, 'it does not have its checksum');
    if (file.endsWith('.zip')) await readThrough(temporary, url);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function write(
  response: Response,
  file: string,
  signal: AbortSignal,
): Promise<{ bytes: number; md5: string }> {
  const hash = createHash('md5');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, next) {
      bytes += chunk.length;
      hash.update(chunk);
      next(bytes > MAX_BYTES ? new Error('it is too large') : null, chunk);
    },
  });
  const body = response.body as unknown as AsyncIterable<Uint8Array>;
  await pipeline(body, count, createWriteStream(file), { signal });
  return { bytes, md5: hash.digest('base64') };
}

async function readThrough(file: string, url: string): Promise<void> {
  let members = 0;
  try {
    for await (const { name } of readZip(file)) members += Number(name !== '');
  } catch (error) {
    throw notFetched(url, messageOf(error), error);
  }
  if (members === 0) throw notFetched(url, 'the archive is empty');
}

async function keep(file: string, kept: Kept): Promise<void> {
  await writeFileAtomic(`${file}.source`, JSON.stringify(kept));
}

function notFetched(url: string, why: string, cause?: unknown): AdvisoryFault {
  const { host, pathname } = new URL(url);
  return new AdvisoryFault(
    'ADVISORIES_NOT_FETCHED',
    `the advisories at ${host}${pathname} were not fetched: ${why}`,
    {
      cause,
      next: 'Give a folder or a file of OSV records with --db or UPDRAFT_ADVISORIES, or scan where the internet is.',
    },
  );
}
