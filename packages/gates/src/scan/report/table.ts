import { SEVERITIES } from '../severity.ts';
import type { Severity } from '../severity.ts';
import type { Unchecked, Vulnerability } from '../match.ts';
import type { LayerSecret } from '../inventory.ts';
import type { LayerRef } from '../inventory-types.ts';
import { boxTable } from './box.ts';
import { primaryUrl, secretPlace, titleOf } from './model.ts';
import type { ReportResult, ScanReport } from './model.ts';

/** What is said about packages nobody could judge. */
export function uncheckedLines(unchecked: readonly Unchecked[]): readonly string[] {
  return unchecked.map(({ ecosystem, packages, reason }) =>
    packages === 0 ? `NOT CHECKED: ${reason}` : `NOT CHECKED: ${packages} ${ecosystem} packages: ${reason}`,
  );
}

/** For people: a summary, then a table for each kind of package that has findings. */
export function tableReport(report: ScanReport): string {
  const sections = report.results.filter(({ vulnerabilities }) => vulnerabilities.length > 0);
  const parts = [
    report.results.length + (report.secrets?.length ?? 0) > 0 ? summary(report) : '',
    ...uncheckedLines(report.unchecked).map((line) => `${line}\n`),
    ...accepted(report),
    ...sections.map((result) => section(result, report.severities)),
    ...secretSections(report),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function summary(report: ScanReport): string {
  const hasSecrets = report.secrets !== undefined;
  const columns = ['Target', 'Type', 'Vulnerabilities', ...(hasSecrets ? ['Secrets'] : [])];
  const rows = [
    ...report.results.flatMap((result) => summaryRows(result)).map((row) => [...row, '-']),
    ...report.unchecked.map(({ ecosystem }) => [report.artifactName, ecosystem, '-', '-']),
    ...byPlace(report.secrets ?? []).map(([place, found]) => [place, 'text', '-', String(found.length)]),
  ];
  const table = boxTable(
    columns.map((title) => ({ title, align: 'center' })),
    rows.map((row) => row.slice(0, columns.length)),
  );
  const legend = "Legend:\n- '-': Not scanned\n- '0': Clean (no security findings detected)\n";
  return `\nReport Summary\n\n${table}${legend}`;
}

function byPlace(secrets: readonly LayerSecret[]): readonly (readonly [string, readonly LayerSecret[]])[] {
  const places = [...new Set(secrets.map(secretPlace))];
  return places.map((place) => [place, secrets.filter((secret) => secretPlace(secret) === place)]);
}

function secretSections({ secrets = [], severities }: ScanReport): readonly string[] {
  return byPlace(secrets).map(([place, found]) => {
    const heading = `${place} (secrets)`;
    const total = `Total: ${found.length} (${counts(found, severities)})`;
    const rows = found.map(({ severity, category, ruleId, title, line, match, layer }) => [
      `${severity}: ${category} (${ruleId})`,
      `${title}\nline ${line}${addedBy(layer)}: ${match}`,
    ]);
    const table = boxTable([{ title: 'Secret' }, { title: 'Where', maxWidth: 100 }], rows);
    return `\n${heading}\n${'='.repeat(heading.length)}\n${total}\n\n${table}`;
  });
}

function addedBy(layer: LayerRef | undefined): string {
  return layer === undefined ? '' : ` (added by layer ${layer.diffId.slice(7, 19)})`;
}

/** Language packages one row a file, as each is its own to replace. */
function summaryRows({
  target,
  type,
  resultClass,
  packages,
  vulnerabilities,
}: ReportResult): readonly (readonly string[])[] {
  if (resultClass === 'os-pkgs') return [[target, type, String(vulnerabilities.length)]];
  const counts = new Map(packages.map(({ path }) => [path, 0]));
  for (const { package: installed } of vulnerabilities)
    counts.set(installed.path, (counts.get(installed.path) ?? 0) + 1);
  return [...counts].map(([path, count]) => [path, type, String(count)]);
}

function accepted({ accepted: all }: ScanReport): readonly string[] {
  return all.map(({ id, findings, source, reason, expiresMs }) => {
    const until = expiresMs === undefined ? '' : ` until ${new Date(expiresMs).toISOString().slice(0, 10)}`;
    return `Accepted by ${source}${until}: ${id} (${findings})${reason === undefined ? '' : `: ${reason}`}\n`;
  });
}

function section(result: ReportResult, severities: readonly Severity[]): string {
  const heading = result.resultClass === 'os-pkgs' ? result.target : `${result.target} (${result.type})`;
  const total = `Total: ${result.vulnerabilities.length} (${counts(result.vulnerabilities, severities)})`;
  const table = boxTable(
    COLUMNS,
    result.vulnerabilities.map((found) => row(found, result)),
  );
  return `\n${heading}\n${'='.repeat(heading.length)}\n${total}\n\n${table}`;
}

function counts(
  vulnerabilities: readonly { readonly severity: Severity }[],
  severities: readonly Severity[],
): string {
  return SEVERITIES.filter((severity) => severities.includes(severity))
    .map(
      (severity) => `${severity}: ${vulnerabilities.filter((found) => found.severity === severity).length}`,
    )
    .join(', ');
}

const COLUMNS = [
  { title: 'Library', merge: true },
  { title: 'Vulnerability', merge: true },
  { title: 'Severity', merge: true },
  { title: 'Status', merge: true },
  { title: 'Installed Version', merge: true },
  { title: 'Fixed Version', merge: true, maxWidth: 40 },
  { title: 'Title', merge: true, maxWidth: 60 },
] as const;

const TITLE_WORDS = 12;

function row(found: Vulnerability, { resultClass }: ReportResult): readonly string[] {
  const { package: installed, id, severity, status, fixedVersion } = found;
  const file = installed.path.split('/').at(-1) ?? '';
  const library = resultClass === 'os-pkgs' ? installed.name : `${installed.name} (${file})`;
  const words = titleOf(found).split(/\s+/).filter(Boolean);
  const title = words.length > TITLE_WORDS ? `${words.slice(0, TITLE_WORDS).join(' ')}...` : words.join(' ');
  const why = status === 'fixed' ? '' : (found.advisory.statusReason ?? '');
  const text = [title, why && `${status}: ${why}`, primaryUrl(id)].filter((part) => part !== '').join('\n');
  return [library, id, severity, status, installed.version, fixedVersion, text];
}
