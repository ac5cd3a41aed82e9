import type { Clock } from '@updraft/kit';
import type { CommandIo } from '../command/io.ts';
import type { Advisories } from './advisories/load.ts';
import type { SummaryCache } from './inventory.ts';
import type { ScanImage } from './scan-image.ts';

/** Which advisories a scan wants. */
export interface AdvisoryRequest {
  /** As OSV writes them: `npm`, `Debian:12`. */
  readonly ecosystems: readonly string[];
  /** A folder, a file or a URL that the user names; else the usual place. */
  readonly location: string | undefined;
  /** Nothing may be fetched. */
  readonly isOffline: boolean;
  readonly onLog: (line: string) => void;
}

/** What the scan may touch. */
export interface TrivyIo extends CommandIo {
  /** Finds an image by the name on the command line: in the store, or wherever the platform pulls from. */
  image(reference: string): Promise<ScanImage | 'notFound'>;
  /** Opens the file or OCI layout of `--input`; without it that option is an error. */
  readonly input?: (path: string) => Promise<ScanImage | 'notFound'>;
  /** Where a folder of the caller's lies on this machine, undefined when it does not; without it `fs` and `rootfs` are errors. */
  readonly folder?: (path: string) => Promise<string | undefined>;
  /**
   * undefined: there is no data, so nothing can be checked. The scan closes what it gets.
   * @throws AdvisoryFault when there should be data and is none
   */
  advisories(request: AdvisoryRequest): Promise<Advisories | undefined>;
  /** Writes the file of `--output`, in the working directory of the job. */
  writeFile(path: string, text: string): Promise<void>;
  readonly clock: Clock;
  /** Older advisories judge, but do not pass. Default: 30 days. */
  readonly maxAdvisoryAgeMs?: number;
  readonly summaries?: SummaryCache;
  /** Keeps the credentials of `registry login`; without it they are not needed. */
  readonly login?: (registry: string, credentials: { username: string; password: string }) => Promise<void>;
}
