import type { LayerSecret } from '../inventory.ts';
import type { OperatingSystem, Package } from '../inventory-types.ts';
import type { Unchecked, Vulnerability } from '../match.ts';
import type { ScanImage } from '../scan-image.ts';
import type { Severity } from '../severity.ts';

/** Findings of one kind of package. */
export interface ReportResult {
  /** `REF (debian 12.15)`, `Node.js`, `Python`. */
  readonly target: string;
  readonly resultClass: 'os-pkgs' | 'lang-pkgs';
  /** `debian`, `node-pkg`, `python-pkg`, `gobinary`, `npm`. */
  readonly type: string;
  readonly packages: readonly Package[];
  readonly vulnerabilities: readonly Vulnerability[];
}

/** Findings that somebody accepts, and who. */
export interface Accepted {
  readonly id: string;
  readonly findings: number;
  /** The file that says so. */
  readonly source: string;
  readonly reason: string | undefined;
  readonly expiresMs: number | undefined;
}

export type ArtifactType = 'container_image' | 'filesystem' | 'cyclonedx' | 'spdx';

/** What a scan found, after all filters; what it could not judge is in `unchecked`, never in `results`. */
export interface ScanReport {
  readonly artifactName: string;
  readonly artifactType: ArtifactType;
  readonly image: ScanImage | undefined;
  readonly os: OperatingSystem | undefined;
  readonly isEndOfLife: boolean | undefined;
  readonly results: readonly ReportResult[];
  /** undefined: nobody looked for any. */
  readonly secrets: readonly LayerSecret[] | undefined;
  readonly unchecked: readonly Unchecked[];
  readonly accepted: readonly Accepted[];
  /** The severities that were asked for, mildest first. */
  readonly severities: readonly Severity[];
  readonly createdAtMs: number;
  readonly version: string;
  readonly listAllPackages: boolean;
}

/** Where a secret lies: an image has a root, a folder is named by whoever scans it. */
export function secretPlace({ path, layer }: LayerSecret): string {
  return layer === undefined ? path : `/${path}`;
}

/** A page about a vulnerability. */
export function primaryUrl(id: string): string {
  return id.startsWith('CVE-')
    ? `https://nvd.nist.gov/vuln/detail/${id}`
    : `https://osv.dev/vulnerability/${id}`;
}

/** One line about a vulnerability, from whatever the advisory has. */
export function titleOf({ advisory }: Vulnerability): string {
  const firstLine = advisory.description.split('\n').find((line) => line.trim() !== '') ?? '';
  return advisory.title || firstLine.trim();
}
