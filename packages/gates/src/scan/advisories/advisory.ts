import type { Severity } from '../severity.ts';

/** What a distribution or maintainer means to do about it. */
export type Status =
  | 'fixed'
  | 'affected'
  | 'will_not_fix'
  | 'fix_deferred'
  | 'end_of_life'
  | 'under_investigation'
  | 'not_affected'
  | 'unknown';

export interface RangeEvent {
  readonly kind: 'introduced' | 'fixed' | 'last_affected';
  readonly version: string;
}

/** One package of one OSV record. */
export interface Advisory {
  /** The record's own id. */
  readonly recordId: string;
  /** The id people speak of: the CVE when there is exactly one, else the record's. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** As OSV writes it: `npm`, `PyPI`, `Debian:12`. */
  readonly ecosystem: string;
  readonly packageName: string;
  /** Each range on its own; GIT ranges are left out. */
  readonly ranges: readonly (readonly RangeEvent[])[];
  /** Exact versions, for records that list them. */
  readonly versions: readonly string[];
  readonly severity: Severity;
  readonly severitySource: string;
  readonly score: number | undefined;
  readonly vector: string | undefined;
  /** What the record says about a fix, when it says it. */
  readonly status: Status | undefined;
  /** Why it is so, in the distribution's words. */
  readonly statusReason?: string | undefined;
  /** Patched versions to name in a report, when the record lists them apart from its ranges. */
  readonly fixed: readonly string[];
  readonly title: string;
  readonly description: string;
  readonly references: readonly string[];
  readonly weaknesses: readonly string[];
  readonly published: string | undefined;
  readonly modified: string | undefined;
  readonly source: string;
}
