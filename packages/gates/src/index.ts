/**
 * Gates: checks that can stop a pipeline. A lint of Dockerfiles with the codes and the command line of Hadolint, and a
 * scan of images for packages with known vulnerabilities with the command line of Trivy. Rules and advisories are data;
 * what a command line may touch is handed in.
 * @module
 */
export type { CommandIo } from './command/io.ts';
export { hadolintCommand } from './lint/command.ts';
export type { HadolintIo } from './lint/command.ts';
export type { Finding, LintSeverity } from './lint/finding.ts';
export { FORMATTERS } from './lint/formats/all.ts';
export type { FileFindings, Formatter, LintFormat } from './lint/formats/all.ts';
export { lintDockerfile, lintDockerfileWithShell } from './lint/lint.ts';
export { explainRule } from './lint/explain.ts';
export type { DocumentedRule, Rule, RulePage, RuleSet } from './lint/rule.ts';
export { RULES } from './lint/rules/all.ts';
export type { LabelSchema, LabelType, LintSettings, RuleSetName } from './lint/settings.ts';
export type { ShellCheck, ShellDialect } from './lint/shellcheck.ts';
export { shellcheckProgram } from './lint/shellcheck-program.ts';
export { AdvisoryFault } from './scan/advisories/fault.ts';
export { provideAdvisories } from './scan/advisories/provide.ts';
export type { ProvideOptions } from './scan/advisories/provide.ts';
export type { Advisories } from './scan/advisories/load.ts';
export type { Advisory, Status } from './scan/advisories/advisory.ts';
export { EXIT_UNCHECKED, scanCommand, trivyCommand } from './scan/command.ts';
export type { AdvisoryRequest, TrivyIo } from './scan/trivy-io.ts';
export type { SubjectKind } from './scan/subject.ts';
export { inspectLayers, inventoryOfFolder, inventoryOfLayers } from './scan/inventory.ts';
export type { Inspection, LayerSecret, ScanLayer, SummaryCache } from './scan/inventory.ts';
export type { LayerSummary } from './scan/layer-summary.ts';
export type { Ecosystem, Inventory, OperatingSystem, Package } from './scan/inventory-types.ts';
export type { Unchecked, Vulnerability } from './scan/match.ts';
export type { ScanReport } from './scan/report/model.ts';
export { fileSummaryCache } from './scan/summary-cache.ts';
export { scan } from './scan/scan.ts';
export { scanImageFromStore } from './scan/scan-image.ts';
export type { ScanImage } from './scan/scan-image.ts';
export { SEVERITIES } from './scan/severity.ts';
export type { Severity } from './scan/severity.ts';
