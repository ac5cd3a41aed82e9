import type { Advisories } from './advisories/load.ts';
import { isAccepted } from './ignore-file.ts';
import type { IgnoreEntry } from './ignore-file.ts';
import type { Ecosystem, Inventory } from './inventory-types.ts';
import { match } from './match.ts';
import type { Unchecked, Vulnerability } from './match.ts';
import type { Accepted, ReportResult, ScanReport } from './report/model.ts';
import type { ScanOptions } from './options.ts';
import type { ScanImage } from './scan-image.ts';

export interface ScanContext {
  readonly artifactName: string;
  readonly image: ScanImage | undefined;
  readonly accepted: readonly IgnoreEntry[];
  readonly nowMs: number;
}

type Filters = Pick<
  ScanOptions,
  'severities' | 'ignoreUnfixed' | 'ignoredStatuses' | 'packageTypes' | 'listAllPackages'
>;

/** The version of Trivy whose command line and reports this follows. */
export const TRIVY_VERSION = '0.60.0';

/** Judges an inventory and filters what it finds: severity, status, ignore file, in this order. Pure. */
export function scan(
  inventory: Inventory,
  advisories: Advisories | undefined,
  options: Filters,
  context: ScanContext,
): ScanReport {
  const looked = {
    ...inventory,
    packages: inventory.packages.filter(({ ecosystem }) => isWanted(ecosystem, options)),
  };
  const { vulnerabilities, unchecked, isEndOfLife } = match(looked, advisories, context.nowMs);
  const wanted = vulnerabilities.filter((found) => isReported(found, options));
  const { kept, accepted } = applyIgnoreFile(wanted, context);
  return {
    artifactName: context.artifactName,
    image: context.image,
    os: inventory.os,
    isEndOfLife,
    results: toResults(looked, kept, { unchecked, artifactName: context.artifactName }),
    unchecked: [...unchecked, ...nothingFound(looked)],
    accepted,
    severities: options.severities,
    createdAtMs: context.nowMs,
    version: TRIVY_VERSION,
    listAllPackages: options.listAllPackages,
  };
}

function isWanted(ecosystem: Ecosystem, { packageTypes }: Filters): boolean {
  return packageTypes.includes(ecosystem === 'dpkg' || ecosystem === 'apk' ? 'os' : 'library');
}

function isReported({ severity, status }: Vulnerability, options: Filters): boolean {
  if (!options.severities.includes(severity) || options.ignoredStatuses.includes(status)) return false;
  return !options.ignoreUnfixed || status === 'fixed';
}

function applyIgnoreFile(found: readonly Vulnerability[], { accepted, nowMs }: ScanContext) {
  const counts = new Map<string, number>();
  const kept = found.filter(({ id, advisory }) => {
    if (!isAccepted(accepted, [id, advisory.recordId, ...advisory.aliases], nowMs)) return true;
    counts.set(id, (counts.get(id) ?? 0) + 1);
    return false;
  });
  return { kept, accepted: [...counts].map(([id, findings]): Accepted => ({ id, findings })) };
}

const KINDS: readonly { ecosystem: Ecosystem; target?: string; type?: string }[] = [
  { ecosystem: 'dpkg' },
  { ecosystem: 'apk' },
  { ecosystem: 'npm', target: 'Node.js', type: 'node-pkg' },
  { ecosystem: 'pypi', target: 'Python', type: 'python-pkg' },
];

function toResults(
  { os, packages }: Inventory,
  found: readonly Vulnerability[],
  { unchecked, artifactName }: { unchecked: readonly Unchecked[]; artifactName: string },
): readonly ReportResult[] {
  return KINDS.flatMap(({ ecosystem, target, type }): ReportResult[] => {
    const mine = packages.filter((installed) => installed.ecosystem === ecosystem);
    if (
      mine.length === 0 ||
      unchecked.some((gap) => gap.ecosystem === ecosystem && gap.packages >= mine.length)
    )
      return [];
    return [
      {
        target: target ?? `${artifactName} (${os?.family ?? 'unknown'} ${os?.version ?? ''})`,
        resultClass: target === undefined ? 'os-pkgs' : 'lang-pkgs',
        type: type ?? os?.family ?? ecosystem,
        packages: mine,
        vulnerabilities: found.filter(({ package: installed }) => installed.ecosystem === ecosystem),
      },
    ];
  });
}

/** An image without a package this scan knows was not checked, whatever runs in it. */
function nothingFound({ os, packages }: Inventory): readonly Unchecked[] {
  const hasDistribution = packages.some(({ ecosystem }) => ecosystem === 'dpkg' || ecosystem === 'apk');
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
  return [{ ecosystem: 'other', packages: 0, reason: 'no packages were found that this scan knows' }];
}
