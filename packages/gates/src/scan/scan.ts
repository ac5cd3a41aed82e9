import { acceptanceOf } from './acceptance.ts';
import type { Acceptance } from './acceptance.ts';
import type { Advisories } from './advisories/load.ts';
import type { Inspection, LayerSecret } from './inventory.ts';
import type { Inventory, Package } from './inventory-types.ts';
import { match } from './match.ts';
import type { Matches, Unchecked, Vulnerability } from './match.ts';
import { packageUrl } from './purl.ts';
import type { Accepted, ArtifactType, ReportResult, ScanReport } from './report/model.ts';
import type { ScanOptions } from './options.ts';
import type { ScanImage } from './scan-image.ts';

export interface ScanContext {
  readonly artifactName: string;
  readonly artifactType: ArtifactType;
  readonly image: ScanImage | undefined;
  /** Of ignore files, then of VEX documents. */
  readonly accepted: readonly Acceptance[];
  readonly nowMs: number;
}

type Filters = Pick<
  ScanOptions,
  | 'severities'
  | 'ignoreUnfixed'
  | 'ignoredStatuses'
  | 'packageTypes'
  | 'listAllPackages'
  | 'scanners'
  | 'includeDevDependencies'
>;

/** The version of Trivy whose command line and reports this follows. */
export const TRIVY_VERSION = '0.60.0';

/** The packages that `--pkg-types` and the like leave in. */
export function wantedPackages({ packages }: Inventory, filters: Filters): readonly Package[] {
  return packages.filter(
    ({ type, isDev }) =>
      filters.packageTypes.includes(type === 'os' ? 'os' : 'library') &&
      (!isDev || filters.includeDevDependencies),
  );
}

/** Judges what was found and filters it: severity, status, ignore files, VEX, in this order. Pure. */
export function scan(
  { inventory, secrets }: Inspection,
  advisories: Advisories | undefined,
  options: Filters,
  context: ScanContext,
): ScanReport {
  const looked = { ...inventory, packages: wantedPackages(inventory, options) };
  const judged = options.scanners.includes('vuln') ? judge(looked, advisories, context) : NOT_JUDGED;
  const wanted = {
    vulnerabilities: judged.vulnerabilities.filter((found) => isReported(found, options)),
    secrets: secrets.filter(({ severity }) => options.severities.includes(severity)),
  };
  const kept = withoutAccepted(wanted, looked, context);
  return {
    artifactName: context.artifactName,
    artifactType: context.artifactType,
    image: context.image,
    os: inventory.os,
    isEndOfLife: judged.isEndOfLife,
    results: judged.kinds.map((kind) => ({
      ...kind,
      vulnerabilities: kept.vulnerabilities.filter(({ package: one }) => kind.packages.includes(one)),
    })),
    secrets: options.scanners.includes('secret') ? kept.secrets : undefined,
    unchecked: judged.unchecked,
    accepted: kept.accepted,
    severities: options.severities,
    createdAtMs: context.nowMs,
    version: TRIVY_VERSION,
    listAllPackages: options.listAllPackages,
  };
}

type Kind = Omit<ReportResult, 'vulnerabilities'>;

interface Judged extends Matches {
  readonly kinds: readonly Kind[];
}

const NOT_JUDGED: Judged = { vulnerabilities: [], unchecked: [], isEndOfLife: undefined, kinds: [] };

function judge(looked: Inventory, advisories: Advisories | undefined, context: ScanContext): Judged {
  const matches = match(looked, advisories, context.nowMs);
  const kinds = toKinds(looked, matches.unchecked, context.artifactName);
  return { ...matches, unchecked: [...matches.unchecked, ...nothingFound(looked, context)], kinds };
}

function isReported({ severity, status }: Vulnerability, options: Filters): boolean {
  if (!options.severities.includes(severity) || options.ignoredStatuses.includes(status)) return false;
  return !options.ignoreUnfixed || status === 'fixed';
}

interface Findings {
  readonly vulnerabilities: readonly Vulnerability[];
  readonly secrets: readonly LayerSecret[];
}

function withoutAccepted(
  found: Findings,
  { os }: Inventory,
  { accepted: entries, nowMs }: ScanContext,
): Findings & { accepted: readonly Accepted[] } {
  const counts = new Map<Acceptance, Accepted>();
  const isKept = (id: string, by: Acceptance | undefined) => {
    if (by === undefined) return true;
    const { source, reason, expiresMs } = by;
    counts.set(by, { id, source, reason, expiresMs, findings: (counts.get(by)?.findings ?? 0) + 1 });
    return false;
  };
  const vulnerabilities = found.vulnerabilities.filter(({ id, advisory, package: installed }) => {
    const ids = [id, advisory.recordId, ...advisory.aliases];
    const purl = packageUrl(installed, os);
    return isKept(
      id,
      acceptanceOf(entries, { ids, kind: 'vulnerability', path: installed.path, purl }, nowMs),
    );
  });
  const secrets = found.secrets.filter(({ ruleId, path }) =>
    isKept(ruleId, acceptanceOf(entries, { ids: [ruleId], kind: 'secret', path }, nowMs)),
  );
  return { vulnerabilities, secrets, accepted: [...counts.values()] };
}

/** Installed packages of these are one result together, whatever files they lie in. */
const TOGETHER: Readonly<Record<string, string>> = { 'node-pkg': 'Node.js', 'python-pkg': 'Python' };

/** A result for the distribution, for each kind of installed package, and for each other file. */
function toKinds(
  { os, packages }: Inventory,
  unchecked: readonly Unchecked[],
  artifactName: string,
): readonly Kind[] {
  const groups = new Map<string, Package[]>();
  for (const installed of packages) {
    const key = groupOf(installed);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [installed]);
    else group.push(installed);
  }
  return [...groups.values()]
    .filter((group) => !unchecked.some((gap) => isGap(gap, group, packages)))
    .map((group) => toKind(group, os, artifactName));
}

function groupOf({ ecosystem, type, path }: Package): string {
  return type === 'os' || Object.hasOwn(TOGETHER, type) ? `${ecosystem}\0${type}` : `${type}\0${path}`;
}

/** Could nobody judge any package of this ecosystem? */
function isGap(gap: Unchecked, [first]: readonly Package[], packages: readonly Package[]): boolean {
  if (gap.ecosystem !== first?.ecosystem) return false;
  return gap.packages >= packages.filter(({ ecosystem }) => ecosystem === gap.ecosystem).length;
}

function toKind(packages: readonly Package[], os: Inventory['os'], artifactName: string): Kind {
  const { type, path, ecosystem } = packages[0] as Package;
  if (type !== 'os') return { target: TOGETHER[type] ?? path, resultClass: 'lang-pkgs', type, packages };
  const target = `${artifactName} (${os?.family ?? 'unknown'} ${os?.version ?? ''})`;
  return { target, resultClass: 'os-pkgs', type: os?.family ?? ecosystem, packages };
}

/** An image without a package this scan knows was not checked, whatever runs in it. */
function nothingFound({ os, packages }: Inventory, { artifactType }: ScanContext): readonly Unchecked[] {
  const hasDistribution = packages.some(({ type }) => type === 'os');
  if (os !== undefined && !hasDistribution && !['debian', 'ubuntu', 'alpine'].includes(os.family)) {
    return [
      {
        ecosystem: 'other',
        packages: 0,
        reason: `the packages of ${os.family} ${os.version} are not known to this scan`,
      },
    ];
  }
  if (packages.length > 0) return [];
  const what = artifactType === 'filesystem' ? 'no lock files or packages were' : 'no packages were';
  return [{ ecosystem: 'other', packages: 0, reason: `${what} found that this scan knows` }];
}
