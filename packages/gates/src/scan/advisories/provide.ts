import path from 'node:path';
import { messageOf } from '@updraft/kit';
import { AdvisoryFault } from './fault.ts';
import { fetchAdvisories } from './fetch.ts';
import type { FetchOptions } from './fetch.ts';
import { openAdvisories } from './index-file.ts';
import { combineAdvisories } from './load.ts';
import type { Advisories } from './load.ts';

export interface ProvideOptions extends Omit<FetchOptions, 'folder'> {
  /** A folder, a file, a URL of either form of OSV data, or `osv`: what osv.dev exports for the ecosystems that are needed. */
  readonly location: string;
  /** As OSV writes them: `npm`, `Debian:12`. */
  readonly ecosystems: readonly string[];
  /** For downloads and indexes. */
  readonly home: string;
}

const OSV_EXPORTS = 'https://osv-vulnerabilities.storage.googleapis.com';

/**
 * The advisories of a place, fetched where it is not on this machine. undefined when nothing is needed. The caller closes them.
 * @throws AdvisoryFault when none of what is needed can be had; what is missing in part is said and shows as not checked
 */
export async function provideAdvisories(options: ProvideOptions): Promise<Advisories | undefined> {
  if (options.location === 'osv') return fromOsv(options);
  if (!/^https?:\/\//.test(options.location)) return open(options.location, undefined, options);
  const { file, dateMs } = await download(options.location, options);
  return open(file, dateMs, options);
}

async function fromOsv(options: ProvideOptions): Promise<Advisories | undefined> {
  const opened: Advisories[] = [];
  const failures: unknown[] = [];
  for (const ecosystem of options.ecosystems) {
    try {
      const { file, dateMs } = await download(
        `${OSV_EXPORTS}/${encodeURIComponent(ecosystem)}/all.zip`,
        options,
      );
      opened.push(await open(file, dateMs, options));
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof AdvisoryFault)) throw error;
      failures.push(error);
    }
  }
  const [first] = opened;
  if (first === undefined && failures.length > 0) throw failures[0];
  for (const failure of failures) options.onLog(messageOf(failure));
  return first === undefined ? undefined : combineAdvisories(opened);
}

function download(url: string, options: ProvideOptions) {
  return fetchAdvisories(url, { ...options, folder: path.join(options.home, 'downloads') });
}

function open(
  location: string,
  dateMs: number | undefined,
  { home, onLog }: ProvideOptions,
): Promise<Advisories> {
  return openAdvisories(location, {
    folder: path.join(home, 'indexes'),
    ...(dateMs !== undefined && { dateMs }),
    onBuild: (place) => onLog(`indexing the advisories of ${place}; this is done once`),
  });
}
