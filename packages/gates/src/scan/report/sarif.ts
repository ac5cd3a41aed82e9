import type { LayerSecret } from '../inventory.ts';
import type { Vulnerability } from '../match.ts';
import type { Severity } from '../severity.ts';
import { primaryUrl, titleOf } from './model.ts';
import type { ReportResult, ScanReport } from './model.ts';

const LEVEL: Readonly<Record<Severity, string>> = {
  CRITICAL: 'error',
  HIGH: 'error',
  MEDIUM: 'warning',
  LOW: 'note',
  UNKNOWN: 'note',
};

/** What code scanners read as the rank of a rule, where an advisory has no score. */
const RANK: Readonly<Record<Severity, string>> = {
  CRITICAL: '9.5',
  HIGH: '8.0',
  MEDIUM: '5.5',
  LOW: '2.0',
  UNKNOWN: '0.0',
};

/** SARIF 2.1.0: a rule for each vulnerability, a result for each package that has it. */
export function sarifReport(report: ScanReport): string {
  const found = report.results.flatMap((result) =>
    result.vulnerabilities.map((vulnerability) => ({ result, vulnerability })),
  );
  const ids = [...new Set(found.map(({ vulnerability }) => vulnerability.id))];
  const rules = ids.flatMap((id) => {
    const first = found.find(({ vulnerability }) => vulnerability.id === id);
    return first === undefined ? [] : [toRule(first.vulnerability)];
  });
  const results = found.map(({ result, vulnerability }) =>
    toResult(vulnerability, result, ids.indexOf(vulnerability.id)),
  );
  const secrets = report.secrets ?? [];
  const secretIds = [...new Set(secrets.map(({ ruleId }) => ruleId))];
  rules.push(
    ...secretIds.flatMap((id) =>
      secrets
        .filter(({ ruleId }) => ruleId === id)
        .slice(0, 1)
        .map(toSecretRule),
    ),
  );
  results.push(
    ...secrets.map((secret) => toSecretResult(secret, ids.length + secretIds.indexOf(secret.ruleId))),
  );
  const driver = {
    name: 'Trivy',
    fullName: 'Updraft’s scan with the command line of Trivy',
    version: report.version,
    rules,
  };
  const notifications = report.unchecked.map(({ ecosystem, packages, reason }) => ({
    level: 'error',
    message: { text: `${packages} ${ecosystem} packages were not checked: ${reason}` },
  }));
  const invocations = [
    { executionSuccessful: notifications.length === 0, toolExecutionNotifications: notifications },
  ];
  const log = {
    version: '2.1.0',
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    runs: [{ tool: { driver }, invocations, results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function toRule(found: Vulnerability) {
  const text = titleOf(found) || found.id;
  return {
    id: found.id,
    name:
      found.package.ecosystem === 'dpkg' || found.package.ecosystem === 'apk'
        ? 'OsPackageVulnerability'
        : 'LanguageSpecificPackageVulnerability',
    shortDescription: { text },
    fullDescription: { text: found.advisory.description || text },
    defaultConfiguration: { level: LEVEL[found.severity] },
    helpUri: primaryUrl(found.id),
    properties: {
      precision: 'very-high',
      'security-severity': found.advisory.score?.toFixed(1) ?? RANK[found.severity],
      tags: ['vulnerability', 'security', found.severity],
    },
  };
}

function toSecretRule({ ruleId, title, severity }: LayerSecret): ReturnType<typeof toRule> {
  return {
    id: ruleId,
    name: 'Secret',
    shortDescription: { text: title },
    fullDescription: { text: title },
    defaultConfiguration: { level: LEVEL[severity] },
    helpUri: 'https://trivy.dev/latest/docs/scanner/secret/',
    properties: {
      precision: 'very-high',
      'security-severity': RANK[severity],
      tags: ['secret', 'security', severity],
    },
  };
}

function toSecretResult({ ruleId, title, severity, path, line, match }: LayerSecret, ruleIndex: number) {
  return locatedResult({
    ruleId,
    ruleIndex,
    level: LEVEL[severity],
    text: `${title}, ${severity}: ${match}`,
    uri: encodeURI(path),
    line,
  });
}

interface LocatedResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly text: string;
  readonly uri: string;
  readonly line: number;
}

function locatedResult({ ruleId, ruleIndex, level, text, uri, line }: LocatedResult) {
  const region = { startLine: line, startColumn: 1, endLine: line, endColumn: 1 };
  const physicalLocation = { artifactLocation: { uri, uriBaseId: 'ROOTPATH' }, region };
  return { ruleId, ruleIndex, level, message: { text }, locations: [{ physicalLocation }] };
}

function toResult(found: Vulnerability, { target, resultClass }: ReportResult, ruleIndex: number) {
  const { package: installed } = found;
  const fix = found.fixedVersion === '' ? 'there is no fixed version' : `fixed in ${found.fixedVersion}`;
  const uri =
    resultClass === 'os-pkgs' ? encodeURI(target.split(' (')[0] ?? target) : encodeURI(installed.path);
  return locatedResult({
    ruleId: found.id,
    ruleIndex,
    level: LEVEL[found.severity],
    text: `${installed.name} ${installed.version}: ${found.id}, ${found.severity}, ${found.status}; ${fix}`,
    uri,
    line: 1,
  });
}
