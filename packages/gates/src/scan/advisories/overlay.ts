import { toSeverity } from '../severity.ts';
import type { Severity } from '../severity.ts';
import type { Advisory, Status } from './advisory.ts';
import { BUILTIN_STATUS } from './debian-status.table.ts';
import { object } from '../json.ts';
import type { Json } from '../json.ts';

/** What a distribution says about a vulnerability in one of its packages, which OSV has no place for. */
export interface StatusNote {
  /** As OSV writes it: `Debian:12`. */
  readonly ecosystem: string;
  readonly packageName: string;
  readonly id: string;
  readonly status: Status | undefined;
  /** The distribution's own rating. */
  readonly severity: Severity | undefined;
  readonly reason: string | undefined;
}

const STATUSES: readonly Status[] = [
  'fixed', 'affected', 'will_not_fix', 'fix_deferred', 'end_of_life', 'under_investigation', 'not_affected', 'unknown',
]; // prettier-ignore

/** A line of a status file: `{"ecosystem", "package", "id", "status"?, "severity"?, "reason"?}`; undefined for anything else. */
export function readStatusNote(line: unknown): StatusNote | undefined {
  const { ecosystem, package: packageName, id, status, severity, reason } = object(line);
  if (typeof ecosystem !== 'string' || typeof packageName !== 'string' || typeof id !== 'string')
    return undefined;
  return {
    ecosystem,
    packageName,
    id,
    status: STATUSES.find((known) => known === status),
    severity: toSeverity(severity),
    reason: typeof reason === 'string' ? reason : undefined,
  };
}

const RELEASES: Readonly<Record<string, string>> = {
  buster: 'Debian:10',
  bullseye: 'Debian:11',
  bookworm: 'Debian:12',
  trixie: 'Debian:13',
  forky: 'Debian:14',
};

/** What Debian's security tracker publishes as one JSON file: package -> CVE -> release. */
export function* readDebianTracker(data: unknown): Generator<StatusNote> {
  for (const [packageName, cves] of Object.entries(object(data))) {
    for (const [id, entry] of Object.entries(object(cves))) yield* notesOf(packageName, id, object(entry));
  }
}

function notesOf(packageName: string, id: string, entry: Json): readonly StatusNote[] {
  return Object.entries(object(entry['releases'])).flatMap(([release, state]) => {
    const ecosystem = RELEASES[release];
    return ecosystem === undefined ? [] : [{ ecosystem, packageName, id, ...trackerState(object(state)) }];
  });
}

function trackerState(state: Json): Pick<StatusNote, 'status' | 'severity' | 'reason'> {
  const urgency = typeof state['urgency'] === 'string' ? state['urgency'] : '';
  const reason = typeof state['nodsa'] === 'string' ? state['nodsa'] : undefined;
  return { status: trackerStatus(state, urgency), severity: toSeverity(urgency.replace(/\W+$/, '')), reason };
}

function trackerStatus(state: Json, urgency: string): Status | undefined {
  if (state['status'] === 'undetermined' || state['fixed_version'] === '0') return 'not_affected';
  if (state['status'] === 'resolved') return 'fixed';
  if (urgency.startsWith('end-of-life')) return 'end_of_life';
  if (state['nodsa_reason'] === 'ignored') return 'will_not_fix';
  if (state['nodsa_reason'] === 'postponed') return 'fix_deferred';
  return state['status'] === 'open' ? 'affected' : undefined;
}

/** The advisory with what the distribution says of it: its rating before any other, its plan where there is no fix. */
export function withNotes(advisory: Advisory, notes: readonly StatusNote[]): Advisory {
  const note = notes.find(({ id }) => id === advisory.id || advisory.aliases.includes(id));
  if (note === undefined) return advisory;
  const rated = note.severity !== undefined && note.severity !== 'UNKNOWN';
  return {
    ...advisory,
    status: note.status ?? advisory.status,
    statusReason: note.reason ?? advisory.statusReason,
    ...(rated && {
      severity: note.severity,
      severitySource: advisory.ecosystem.split(':')[0]?.toLowerCase() ?? '',
    }),
  };
}

/** Notes that are known without any file. */
export function builtinNotes(ecosystem: string, packageName: string): readonly StatusNote[] {
  return BUILTIN_STATUS.filter((note) => note.ecosystem === ecosystem && note.packageName === packageName);
}
