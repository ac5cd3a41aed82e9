import { severityOfScore, toSeverity } from '../severity.ts';
import type { Severity } from '../severity.ts';
import type { Advisory, RangeEvent, Status } from './advisory.ts';
import { cvssScore } from './cvss.ts';
import { object, objects, text, texts } from '../json.ts';
import type { Json } from '../json.ts';

/** Reports show the beginning; some records bring whole articles. */
const MAX_DESCRIPTION = 4000;
const MAX_REFERENCES = 25;

const STATUSES: readonly Status[] = [
  'fixed', 'affected', 'will_not_fix', 'fix_deferred', 'end_of_life', 'under_investigation', 'not_affected', 'unknown',
]; // prettier-ignore

/**
 * The advisories in one OSV record (ossf.github.io/osv-schema): one for each package it names. None when it was
 * withdrawn. Anything of an unexpected type is taken as absent, so a strange record cannot stop a scan.
 */
export function readOsvRecord(record: unknown): readonly Advisory[] {
  const root = object(record);
  const recordId = text(root['id']);
  if (recordId === '' || text(root['withdrawn']) !== '') return [];
  return objects(root['affected']).flatMap((affected) => {
    const advisory = readAffected(root, recordId, affected);
    return advisory === undefined ? [] : [advisory];
  });
}

function readAffected(root: Json, recordId: string, affected: Json): Advisory | undefined {
  const { ecosystem, name } = object(affected['package']);
  if (text(ecosystem) === '' || text(name) === '') return undefined;
  const extra = { ...object(root['database_specific']), ...object(affected['database_specific']) };
  const aliases = [...new Set([...texts(root['aliases']), ...texts(root['upstream'])])];
  return {
    recordId,
    id: commonId(recordId, aliases),
    aliases,
    ecosystem: text(ecosystem),
    packageName: text(name),
    ranges: objects(affected['ranges'])
      .filter(({ type }) => type !== 'GIT')
      .map(readRange),
    versions: texts(affected['versions']),
    ...readSeverity(root, affected, extra),
    status: STATUSES.find((status) => status === extra['status']),
    fixed: texts(extra['fixed']),
    title: text(root['summary']),
    description: text(root['details']).slice(0, MAX_DESCRIPTION),
    references: objects(root['references'])
      .map(({ url }) => text(url))
      .filter((url) => url !== '')
      .slice(0, MAX_REFERENCES),
    weaknesses: texts(extra['cwe_ids']),
    published: text(root['published']) || undefined,
    modified: text(root['modified']) || undefined,
    source: text(extra['source']) || sourceOf(recordId),
  };
}

/** A CVE when there is exactly one: what ignore files, trackers and people call it. */
function commonId(recordId: string, aliases: readonly string[]): string {
  const inside = /CVE-\d{4}-\d{4,}/.exec(recordId)?.[0];
  if (inside !== undefined) return inside;
  const cves = aliases.filter((alias) => /^CVE-\d{4}-\d{4,}$/.test(alias));
  return cves.length === 1 && cves[0] !== undefined ? cves[0] : recordId;
}

function readRange(range: Json): readonly RangeEvent[] {
  return objects(range['events']).flatMap((event) =>
    (['introduced', 'fixed', 'last_affected'] as const).flatMap((kind) => {
      const version = text(event[kind]);
      return version === '' ? [] : [{ kind, version }];
    }),
  );
}

/** Of several, version 3 counts: what the original and most policies go by. */
const VECTORS = [/^CVSS:3/, /^CVSS:4/, /^\(?AV:/] as const;

type SeverityFields = Pick<Advisory, 'severity' | 'severitySource' | 'score' | 'vector'>;

/** The vendor's word first, then what CVSS says. Debian's "not yet assigned" is no word. */
function readSeverity(root: Json, affected: Json, extra: Json): SeverityFields {
  const urgency = toSeverity(text(object(affected['ecosystem_specific'])['urgency']).replace(/\W+$/, ''));
  const vendor = urgency ?? toSeverity(extra['severity']);
  const rated = [...objects(affected['severity']), ...objects(root['severity'])].map((entry) =>
    text(entry['score']),
  );
  const vector = VECTORS.map((kind) =>
    rated.find((score) => kind.test(score) && cvssScore(score) !== undefined),
  ).find((found) => found !== undefined);
  const score = vector === undefined ? number(extra['score']) : cvssScore(vector);
  const computed: Severity = score === undefined ? 'UNKNOWN' : severityOfScore(score);
  const hasVendor = vendor !== undefined && vendor !== 'UNKNOWN';
  const severitySource = hasVendor
    ? text(extra['severity_source']) || 'vendor'
    : computed === 'UNKNOWN'
      ? ''
      : 'cvss';
  return { severity: hasVendor ? vendor : computed, severitySource, score, vector };
}

function sourceOf(recordId: string): string {
  return recordId.split('-')[0]?.toLowerCase() ?? '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
