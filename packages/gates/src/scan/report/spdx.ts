import { createHash } from 'node:crypto';
import { timestamp } from '@updraft/kit';
import type { Package } from '../inventory-types.ts';
import { packageUrl } from '../purl.ts';
import type { ScanReport } from './model.ts';

/** An SPDX 2.3 document of everything that was found. It has no place for vulnerabilities. */
export function spdxReport(report: ScanReport, packages: readonly Package[]): string {
  const root = spdxId('Artifact', report.artifactName);
  const elements = packages.map((installed) => toElement(installed, report));
  const content = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: report.artifactName,
    documentNamespace: `https://updraft.invalid/spdx/${hash([report.artifactName, String(report.createdAtMs)])}`,
    creationInfo: {
      creators: [`Tool: updraft-${report.version}`],
      created: timestamp(report.createdAtMs).replace(/\.\d+Z$/, 'Z'),
    },
    packages: [artifact(root, report), ...elements],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', root),
      ...elements.map(({ SPDXID }) => relationship(root, 'CONTAINS', SPDXID)),
    ],
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function artifact(root: string, { artifactName, artifactType, image }: ScanReport) {
  return {
    SPDXID: root,
    name: artifactName,
    ...(image && { versionInfo: image.digest }),
    downloadLocation: 'NONE',
    filesAnalyzed: false,
    primaryPackagePurpose: artifactType === 'container_image' ? 'CONTAINER' : 'SOURCE',
  };
}

function toElement(installed: Package, { os }: ScanReport) {
  const purl = packageUrl(installed, os);
  const { name, version, source, type } = installed;
  return {
    SPDXID: spdxId('Package', `${purl}#${installed.path}`),
    name,
    versionInfo: version,
    supplier: 'NOASSERTION',
    downloadLocation: 'NONE',
    filesAnalyzed: false,
    ...(type === 'os' && { sourceInfo: `built package from: ${source.name} ${source.version}` }),
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
    primaryPackagePurpose: 'LIBRARY',
  };
}

function relationship(from: string, type: string, to: string) {
  return { spdxElementId: from, relatedSpdxElement: to, relationshipType: type };
}

function spdxId(kind: string, text: string): string {
  return `SPDXRef-${kind}-${hash([text]).slice(0, 16)}`;
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}
