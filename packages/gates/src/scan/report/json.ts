import { timestamp } from '@updraft/kit';
import type { Advisory } from '../advisories/advisory.ts';
import type { LayerSecret } from '../inventory.ts';
import type { LayerRef, Package } from '../inventory-types.ts';
import type { Vulnerability } from '../match.ts';
import { packageUrl } from '../purl.ts';
import { primaryUrl, secretPlace, titleOf } from './model.ts';
import type { ReportResult, ScanReport } from './model.ts';

/** Trivy's JSON, schema 2. Packages nobody could judge are listed in `Unchecked`, which the original does not have. */
export function jsonReport(report: ScanReport): string {
  const content = {
    SchemaVersion: 2,
    CreatedAt: timestamp(report.createdAtMs),
    ArtifactName: report.artifactName,
    ArtifactType: report.artifactType,
    Metadata: metadata(report),
    Results: [
      ...report.results.map((result) => toResult(result, report)),
      ...secretResults(report.secrets ?? []),
    ],
    ...(report.unchecked.length > 0 && {
      Unchecked: report.unchecked.map(({ ecosystem, packages, reason }) => ({
        Ecosystem: ecosystem,
        Packages: packages,
        Reason: reason,
      })),
    }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function metadata({ os, image, isEndOfLife }: ScanReport) {
  return {
    ...(os && { OS: { Family: os.family, Name: os.version, ...(isEndOfLife && { EOSL: true }) } }),
    ...(image && {
      ImageID: image.configDigest,
      DiffIDs: image.layers.map(({ diffId }) => diffId),
      RepoTags: image.repoTags,
      RepoDigests: image.repoDigests,
      ImageConfig: image.config,
    }),
  };
}

function toResult(
  { target, resultClass, type, packages, vulnerabilities }: ReportResult,
  report: ScanReport,
) {
  return {
    Target: target,
    Class: resultClass,
    Type: type,
    ...(report.listAllPackages && { Packages: packages.map((installed) => toPackage(installed, report)) }),
    ...(vulnerabilities.length > 0 && {
      Vulnerabilities: vulnerabilities.map((found) => toVulnerability(found, report)),
    }),
  };
}

function secretResults(secrets: readonly LayerSecret[]) {
  const places = [...new Set(secrets.map(secretPlace))];
  return places.map((place) => ({
    Target: place,
    Class: 'secret',
    Secrets: secrets
      .filter((secret) => secretPlace(secret) === place)
      .map(({ ruleId, category, severity, title, line, match, layer }) => ({
        RuleID: ruleId,
        Category: category,
        Severity: severity,
        Title: title,
        StartLine: line,
        EndLine: line,
        Match: match,
        ...layerOf(layer),
      })),
  }));
}

function toPackage(installed: Package, { os }: ScanReport) {
  return {
    ID: `${installed.name}@${installed.version}`,
    Name: installed.name,
    Identifier: { PURL: packageUrl(installed, os) },
    Version: installed.version,
    ...(installed.architecture && { Arch: installed.architecture }),
    ...(isDistribution(installed) && {
      SrcName: installed.source.name,
      SrcVersion: installed.source.version,
    }),
    ...layerOf(installed.layer),
    ...(!isDistribution(installed) && { FilePath: installed.path }),
  };
}

function toVulnerability(found: Vulnerability, { os }: ScanReport) {
  const { package: installed, advisory } = found;
  const vendorIds = [advisory.recordId, ...advisory.aliases].filter((id) => id !== found.id);
  return {
    VulnerabilityID: found.id,
    ...(vendorIds.length > 0 && { VendorIDs: vendorIds }),
    PkgID: `${installed.name}@${installed.version}`,
    PkgName: installed.name,
    ...(!isDistribution(installed) && { PkgPath: installed.path }),
    PkgIdentifier: { PURL: packageUrl(installed, os) },
    InstalledVersion: installed.version,
    ...(found.fixedVersion !== '' && { FixedVersion: found.fixedVersion }),
    Status: found.status,
    ...(advisory.statusReason && { StatusReason: advisory.statusReason }),
    ...layerOf(installed.layer),
    ...(advisory.severitySource !== '' && { SeveritySource: advisory.severitySource }),
    PrimaryURL: primaryUrl(found.id),
    DataSource: { ID: advisory.source, Name: advisory.ecosystem },
    ...(titleOf(found) !== '' && { Title: titleOf(found) }),
    ...(advisory.description !== '' && { Description: advisory.description }),
    Severity: found.severity,
    ...background(advisory),
  };
}

function background(advisory: Advisory) {
  return {
    ...(advisory.weaknesses.length > 0 && { CweIDs: advisory.weaknesses }),
    ...(advisory.score !== undefined && { CVSS: { osv: cvss(advisory) } }),
    ...(advisory.references.length > 0 && { References: advisory.references }),
    ...(advisory.published && { PublishedDate: advisory.published }),
    ...(advisory.modified && { LastModifiedDate: advisory.modified }),
  };
}

/** Under the names of the vector's version; a score without a vector is taken for version 3's. */
function cvss({ vector, score }: Advisory) {
  if (vector?.startsWith('CVSS:4')) return { V40Vector: vector, V40Score: score };
  if (vector !== undefined && !vector.startsWith('CVSS:')) return { V2Vector: vector, V2Score: score };
  return { ...(vector !== undefined && { V3Vector: vector }), V3Score: score };
}

function isDistribution({ type }: Package): boolean {
  return type === 'os';
}

function layerOf(from: LayerRef | undefined) {
  if (from === undefined) return {};
  return { Layer: { ...(from.digest && { Digest: from.digest }), DiffID: from.diffId } };
}
