import { createHash } from 'node:crypto';
import type { Vulnerability } from '../match.ts';
import type { Severity } from '../severity.ts';
import { primaryUrl, titleOf } from './model.ts';
import type { ScanReport } from './model.ts';

const SEVERITY: Readonly<Record<Severity, string>> = {
  CRITICAL: 'Critical',
  HIGH: 'High',
  MEDIUM: 'Medium',
  LOW: 'Low',
  UNKNOWN: 'Unknown',
};

/** GitLab's container scanning report, schema 15.0.7. */
export function gitlabReport(report: ScanReport): string {
  const time = new Date(report.createdAtMs).toISOString().slice(0, 19);
  const tool = {
    id: 'trivy',
    name: 'Trivy',
    url: 'https://github.com/aquasecurity/trivy/',
    vendor: { name: 'Updraft' },
    version: report.version,
  };
  const found = report.results.flatMap(({ vulnerabilities }) => vulnerabilities);
  const content = {
    version: '15.0.7',
    scan: {
      analyzer: tool,
      end_time: time,
      scanner: tool,
      start_time: time,
      status: report.unchecked.length > 0 ? 'failure' : 'success',
      messages: report.unchecked.map(({ ecosystem, packages, reason }) => ({
        level: 'warn',
        value: `${packages} ${ecosystem} packages were not checked: ${reason}`,
      })),
      type: 'container_scanning',
    },
    vulnerabilities: found.map((vulnerability) => toVulnerability(vulnerability, report)),
    remediations: [],
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function toVulnerability(found: Vulnerability, { artifactName, os }: ScanReport) {
  const { package: installed, advisory, id } = found;
  const url = primaryUrl(id);
  const system = os === undefined ? 'Unknown' : `${os.family} ${os.version}`;
  return {
    id: createHash('sha1')
      .update([id, installed.name, installed.version, installed.path, artifactName].join('\0'))
      .digest('hex'),
    name: titleOf(found) || `${id} in ${installed.name}`,
    description: advisory.description || titleOf(found) || `${id}: ${found.status}`,
    severity: SEVERITY[found.severity],
    solution:
      found.fixedVersion === ''
        ? 'No solution provided'
        : `Upgrade ${installed.name} to ${found.fixedVersion}`,
    location: {
      dependency: { package: { name: installed.name }, version: installed.version },
      operating_system: system,
      image: artifactName,
    },
    identifiers: [{ type: id.startsWith('CVE-') ? 'cve' : 'osv', name: id, value: id, url }],
    links: [url, ...advisory.references]
      .filter((link) => /^https?:\/\//.test(link))
      .map((link) => ({ url: link })),
  };
}
