import type { Advisories } from './advisories/load.ts';
import { isAccepted } from './ignore-file.ts';
import type { IgnoreEntry } from './ignore-file.ts';
import type { Inspection, LayerSecret } from './inventory.ts';
import type { Ecosystem, Inventory } from './inventory-types.ts';
import { match } from './match.ts';
import type { Matches, Unchecked, Vulnerability } from './match.ts';
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
  'severities' | 'ignoreUnfixed' | 'ignoredStatuses' | 'packageTypes' | 'listAllPackages' | 'scanners'
>;

/** The version of Trivy whose command line and reports this follows. */
export const TRIVY_VERSION = '0.60.0';

/** Judges what is in an image and filters what it finds: severity, status, ignore file, in this order. Pure. */
export function scan(
  { inventory, secrets }: Inspection,
  advisories: Advisories | undefined,
  options: Filters,
  context: ScanContext,
): ScanReport {
  const judged = options.scanners.includes('vuln')
    ? judge(inventory, advisories, options, context)
    : NOT_JUDGED;
  const wanted = {
    vulnerabilities: judged.vulnerabilities.filter((found) => isReported(found, options)),
    secrets: secrets.filter(({ severity }) => options.severities.includes(severity)),
  };
  const { vulnerabilities, secrets: keptSecrets, accepted } = applyIgnoreFile(wanted, context);
  return {
    artifactName: context.artifactName,
    image: context.image,
    os: inventory.os,
    isEndOfLife: judged.isEndOfLife,
    results: judged.kinds.map((kind) => ({
      ...kind,
      vulnerabilities: vulnerabilities.filter((found) => isOfKind(found, kind)),
    })),
    secrets: options.scanners.includes('secret') ? keptSecrets : undefined,
    unchecked: judged.unchecked,
    accepted,
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

function judge(
  inventory: Inventory,
  advisories: Advisories | undefined,
  options: Filters,
  { artifactName, nowMs }: ScanContext,
): Judged {
  const looked = {
    ...inventory,
    packages: inventory.packages.filter(({ ecosystem }) => isWanted(ecosystem, options)),
  };
  const matches = match(looked, advisories, nowMs);
  const kinds = toKinds(looked, matches.unchecked, artifactName);
  return { ...matches, unchecked: [...matches.unchecked, ...nothingFound(looked)], kinds };
}

function isOfKind({ package: installed }: Vulnerability, { packages }: Kind): boolean {
  return packages[0]?.ecosystem === installed.ecosystem;
}

function isWanted(ecosystem: Ecosystem, { packageTypes }: Filters): boolean {
  return packageTypes.includes(ecosystem === 'dpkg' || ecosystem === 'apk' ? 'os' : 'library');
}

function isReported({ severity, status }: Vulnerability, options: Filters): boolean {
  if (!options.severities.includes(severity) || options.ignoredStatuses.includes(status)) return false;
  return !options.ignoreUnfixed || status === 'fixed';
}

interface Findings {
  readonly vulnerabilities: readonly Vulnerability[];
  readonly secrets: readonly LayerSecret[];
}

function applyIgnoreFile(
  found: Findings,
  { accepted, nowMs }: ScanContext,
): Findings & { accepted: readonly Accepted[] } {
  const counts = new Map<string, number>();
  const isKept = (id: string, others: readonly string[]) => {
    if (!isAccepted(accepted, [id, ...others], nowMs)) return true;
    counts.set(id, (counts.get(id) ?? 0) + 1);
    return false;
  };
  const vulnerabilities = found.vulnerabilities.filter(({ id, advisory }) =>
    isKept(id, [advisory.recordId, ...advisory.aliases]),
  );
  const secrets = found.secrets.filter(({ ruleId }) => isKept(ruleId, []));
  return { vulnerabilities, secrets, accepted: [...counts].map(([id, findings]) => ({ id, findings })) };
}

const KINDS: readonly { ecosystem: Ecosystem; target?: string; type?: string }[] = [
  { ecosystem: 'dpkg' },
  { ecosystem: 'apk' },
  { ecosystem: 'npm', target: 'Node.js', type: 'node-pkg' },
  { ecosystem: 'pypi', target: 'Python', type: 'python-pkg' },
];

function toKinds(
  { os, packages }: Inventory,
  unchecked: readonly Unchecked[],
  artifactName: string,
): readonly Kind[] {
  return KINDS.flatMap(({ ecosystem, target, type }): Kind[] => {
    const mine = packages.filter((installed) => installed.ecosystem === ecosystem);
    const isGap = unchecked.some((gap) => gap.ecosystem === ecosystem && gap.packages >= mine.length);
    if (mine.length === 0 || isGap) return [];
    return [
      {
        target: target ?? `${artifactName} (${os?.family ?? 'unknown'} ${os?.version ?? ''})`,
        resultClass: target === undefined ? 'os-pkgs' : 'lang-pkgs',
        type: type ?? os?.family ?? ecosystem,
        packages: mine,
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
