import type { Advisory, Status } from './advisories/advisory.ts';
import type { Advisories } from './advisories/load.ts';
import { COMPARE, affectedBy } from './advisories/ranges.ts';
import { eolDateMs } from './end-of-life.ts';
import type { Ecosystem, Inventory, OperatingSystem, Package } from './inventory-types.ts';
import { severityRank } from './severity.ts';
import type { Severity } from './severity.ts';

/** A package that an advisory speaks of. */
export interface Vulnerability {
  readonly id: string;
  readonly package: Package;
  readonly severity: Severity;
  readonly status: Status;
  /** Empty when there is no fix. */
  readonly fixedVersion: string;
  readonly advisory: Advisory;
}

/** Packages nobody could judge, and why. */
export interface Unchecked {
  readonly ecosystem: Ecosystem;
  readonly packages: number;
  readonly reason: string;
}

export interface Matches {
  /** Sorted by package, version, falling severity, id. */
  readonly vulnerabilities: readonly Vulnerability[];
  readonly unchecked: readonly Unchecked[];
  /** Is the distribution's support over? undefined when that is not known. */
  readonly isEndOfLife: boolean | undefined;
}

/** Compares an inventory with advisories. Says what it had no data for; it never takes that for clean. */
export function match(inventory: Inventory, advisories: Advisories | undefined, nowMs: number): Matches {
  const found: Vulnerability[] = [];
  const unchecked: Unchecked[] = [];
  for (const [ecosystem, packages] of grouped(inventory.packages)) {
    const name = advisoryEcosystem(ecosystem, inventory.os, advisories);
    if (advisories === undefined || name.ecosystem === undefined) {
      const reason = advisories === undefined ? 'there are no advisories' : name.reason;
      unchecked.push({ ecosystem, packages: packages.length, reason });
      continue;
    }
    found.push(...matchAll(packages, name.ecosystem, advisories));
    unchecked.push(...unorderable(packages, name.ecosystem, advisories));
  }
  const eol = inventory.os === undefined ? undefined : eolDateMs(inventory.os);
  const isEndOfLife = eol === undefined ? undefined : nowMs > eol;
  return { vulnerabilities: found.toSorted(byPackage), unchecked, isEndOfLife };
}

/** Packages that advisories speak of, whose version has no place in the order. */
function unorderable(
  packages: readonly Package[],
  ecosystem: string,
  advisories: Advisories,
): readonly Unchecked[] {
  const odd = packages.filter((installed) => {
    const { name, version } = installed.source;
    const hasOrder = COMPARE[installed.ecosystem](version, version) !== undefined;
    return !hasOrder && advisories.for(ecosystem, name).length > 0;
  });
  const [first] = odd;
  if (first === undefined) return [];
  const reason = `their versions are none (${first.name} ${first.version.slice(0, 40)})`;
  return [{ ecosystem: first.ecosystem, packages: odd.length, reason }];
}

function grouped(packages: readonly Package[]): ReadonlyMap<Ecosystem, readonly Package[]> {
  const groups = new Map<Ecosystem, Package[]>();
  for (const installed of packages) {
    const group = groups.get(installed.ecosystem);
    if (group === undefined) groups.set(installed.ecosystem, [installed]);
    else group.push(installed);
  }
  return groups;
}

interface EcosystemName {
  readonly ecosystem: string | undefined;
  readonly reason: string;
}

/** What OSV calls the packages' world, if the data knows it. */
function advisoryEcosystem(
  ecosystem: Ecosystem,
  os: OperatingSystem | undefined,
  advisories: Advisories | undefined,
): EcosystemName {
  const names = osvNames(ecosystem, os);
  if (names.length === 0) return { ecosystem: undefined, reason: 'the distribution is not known' };
  const known = names.find((name) => advisories?.ecosystems.has(name));
  return { ecosystem: known, reason: `there are no advisories for ${names[0] ?? ecosystem}` };
}

/** The ecosystems of OSV that judging this inventory takes. */
export function neededEcosystems({ os, packages }: Inventory): readonly string[] {
  const kinds = new Set(packages.map(({ ecosystem }) => ecosystem));
  return [...kinds].flatMap((ecosystem) => osvNames(ecosystem, os).slice(0, 1));
}

function osvNames(ecosystem: Ecosystem, os: OperatingSystem | undefined): readonly string[] {
  if (ecosystem === 'npm') return ['npm'];
  if (ecosystem === 'pypi') return ['PyPI'];
  if (ecosystem === 'go') return ['Go'];
  const [major = '', minor = ''] = os?.version.split('.') ?? [];
  switch (os?.family) {
    case 'debian':
      return [`Debian:${major}`];
    case 'ubuntu':
      return ubuntuNames(`${major}.${minor}`);
    case 'alpine':
      return [`Alpine:v${major}.${minor}`];
    default:
      return [];
  }
}

/** OSV names releases with long support apart: those of April in even years. The other name stands behind, for other data. */
function ubuntuNames(release: string): readonly string[] {
  const names = [`Ubuntu:${release}:LTS`, `Ubuntu:${release}`];
  return /[02468]\.04$/.test(release) ? names : names.toReversed();
}

/** Many packages are of one source, and what is true of one is true of all. */
function matchAll(
  packages: readonly Package[],
  ecosystem: string,
  advisories: Advisories,
): readonly Vulnerability[] {
  const known = new Map<string, readonly Vulnerability[]>();
  return packages.flatMap((installed) => {
    const key = `${installed.source.name}\n${installed.source.version}`;
    const found = known.get(key) ?? matchPackage(installed, ecosystem, advisories);
    known.set(key, found);
    return found.map((one) => ({ ...one, package: installed }));
  });
}

function matchPackage(
  installed: Package,
  ecosystem: string,
  advisories: Advisories,
): readonly Vulnerability[] {
  const { name, version } = installed.source;
  const found = new Map<string, Vulnerability>();
  for (const advisory of advisories.for(ecosystem, name)) {
    const hit = affectedBy(advisory, version, installed.ecosystem);
    if (hit === undefined || advisory.status === 'not_affected') continue;
    const fixedVersion = fixedVersionOf(installed, advisory, hit.fixedIn);
    const status = statusOf(advisory, fixedVersion);
    keepBetter(found, {
      id: advisory.id,
      package: installed,
      severity: advisory.severity,
      status,
      fixedVersion,
      advisory,
    });
  }
  return withoutAliases([...found.values()]);
}

/** Of a distribution the version that ends the range; of a library all patched versions, as there may be several lines. */
function fixedVersionOf({ ecosystem }: Package, advisory: Advisory, fixedIn: string | undefined): string {
  if (ecosystem === 'dpkg' || ecosystem === 'apk') return fixedIn ?? '';
  if (advisory.fixed.length > 0) return advisory.fixed.join(', ');
  const events = advisory.ranges.flat().filter(({ kind }) => kind === 'fixed');
  return [...new Set(events.map(({ version }) => version))].join(', ');
}

function statusOf({ status }: Advisory, fixedVersion: string): Status {
  if (fixedVersion !== '') return 'fixed';
  return status === undefined || status === 'fixed' ? 'affected' : status;
}

/** The same id from several sources: the one that knows more. */
function keepBetter(found: Map<string, Vulnerability>, candidate: Vulnerability): void {
  const known = found.get(candidate.id);
  if (known === undefined || trust(candidate) > trust(known)) found.set(candidate.id, candidate);
}

function trust({ advisory, severity }: Vulnerability): number {
  const source = ['GHSA', 'PYSEC', 'DEBIAN', 'ALPINE', 'UBUNTU'].indexOf(
    advisory.recordId.split('-')[0] ?? '',
  );
  return (source === 0 ? 4 : source > 0 ? 2 : 0) + (severity === 'UNKNOWN' ? 0 : 1);
}

/** Records that name each other as aliases are one vulnerability: the most trusted stays. */
function withoutAliases(found: readonly Vulnerability[]): readonly Vulnerability[] {
  const kept: Vulnerability[] = [];
  for (const candidate of found.toSorted((a, b) => trust(b) - trust(a))) {
    const names = new Set([candidate.id, candidate.advisory.recordId, ...candidate.advisory.aliases]);
    const isKnown = kept.some(({ id, advisory }) => names.has(id) || names.has(advisory.recordId));
    if (!isKnown) kept.push(candidate);
  }
  return kept;
}

function byPackage(a: Vulnerability, b: Vulnerability): number {
  return (
    compare(a.package.name, b.package.name) ||
    compare(a.package.version, b.package.version) ||
    severityRank(b.severity) - severityRank(a.severity) ||
    compare(a.id, b.id)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
