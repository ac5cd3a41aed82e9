import { createHash } from 'node:crypto';
import { timestamp } from '@updraft/kit';
import type { Package } from '../inventory-types.ts';
import type { Vulnerability } from '../match.ts';
import { packageUrl } from '../purl.ts';
import { primaryUrl, titleOf } from './model.ts';
import type { ScanReport } from './model.ts';

/** A CycloneDX 1.6 bill of materials of everything that is installed, with the vulnerabilities that were found. */
export function cyclonedxReport(report: ScanReport, packages: readonly Package[]): string {
  const found = report.results.flatMap(({ vulnerabilities }) => vulnerabilities);
  const name = report.artifactName;
  const content = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf([name, report.image?.digest, String(report.createdAtMs)].join('\0'))}`,
    version: 1,
    metadata: {
      timestamp: timestamp(report.createdAtMs),
      tools: { components: [{ type: 'application', name: 'updraft', version: report.version }] },
      component: { 'bom-ref': name, type: report.image === undefined ? 'application' : 'container', name },
    },
    components: [...systemComponent(report), ...packages.map((installed) => toComponent(installed, report))],
    vulnerabilities: [...new Set(found.map(({ id }) => id))].flatMap((id) =>
      toVulnerability(
        found.filter((one) => one.id === id),
        report,
      ),
    ),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The same package may lie in several places. */
function reference(installed: Package, report: ScanReport): string {
  return `${packageUrl(installed, report.os)}#${installed.path}`;
}

function systemComponent({ os }: ScanReport) {
  if (os === undefined) return [];
  const { family: name, version } = os;
  return [{ 'bom-ref': `${name}-${version}`, type: 'operating-system', name, version }];
}

function toComponent(installed: Package, report: ScanReport) {
  return {
    'bom-ref': reference(installed, report),
    type: 'library',
    name: installed.name,
    version: installed.version,
    purl: packageUrl(installed, report.os),
    ...(installed.type === 'os' && { properties: sourceProperties(installed) }),
  };
}

/** Advisories of distributions speak of sources: who reads this again needs them. */
function sourceProperties({ source }: Package) {
  return [
    { name: 'aquasecurity:trivy:SrcName', value: source.name },
    { name: 'aquasecurity:trivy:SrcVersion', value: source.version },
  ];
}

function toVulnerability(found: readonly Vulnerability[], report: ScanReport) {
  const [first] = found;
  if (first === undefined) return [];
  const { advisory } = first;
  const rating = {
    severity: first.severity.toLowerCase(),
    ...(advisory.vector && {
      method: methodOf(advisory.vector),
      score: advisory.score,
      vector: advisory.vector,
    }),
  };
  return [
    {
      id: first.id,
      source: { name: advisory.source, url: primaryUrl(first.id) },
      ratings: [rating],
      ...(titleOf(first) !== '' && { description: titleOf(first) }),
      ...(first.fixedVersion !== '' && {
        recommendation: `Upgrade ${first.package.name} to ${first.fixedVersion}`,
      }),
      affects: found.map(({ package: installed }) => ({
        ref: reference(installed, report),
        versions: [{ version: installed.version, status: 'affected' }],
      })),
    },
  ];
}

function methodOf(vector: string): string {
  if (vector.startsWith('CVSS:4')) return 'CVSSv4';
  if (!vector.startsWith('CVSS:')) return 'CVSSv2';
  return vector.startsWith('CVSS:3.0') ? 'CVSSv3' : 'CVSSv31';
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
