import { Fault, codeOf, messageOf } from '@updraft/kit';
import { nearest } from '../command/flags.ts';
import type { FlagSpec } from '../command/flags.ts';
import type { CommandIo } from '../command/io.ts';
import { readAcceptances } from './read-acceptances.ts';
import type { Advisories } from './advisories/load.ts';
import type { Inventory } from './inventory-types.ts';
import { neededEcosystems } from './match.ts';
import { SCAN_FLAGS, readOptions } from './options.ts';
import type { ScanOptions } from './options.ts';
import { registryCommand } from './registry-command.ts';
import { cyclonedxReport } from './report/cyclonedx.ts';
import { gitlabReport } from './report/gitlab.ts';
import { jsonReport } from './report/json.ts';
import { secretPlace } from './report/model.ts';
import type { ScanReport } from './report/model.ts';
import { sarifReport } from './report/sarif.ts';
import { spdxReport } from './report/spdx.ts';
import { tableReport, uncheckedLines } from './report/table.ts';
import { TRIVY_VERSION, scan, wantedPackages } from './scan.ts';
import { openSubject } from './subject.ts';
import type { Subject, SubjectKind } from './subject.ts';
import type { TrivyIo } from './trivy-io.ts';
import type { VexSubject } from './vex.ts';

/** The scan could not check everything, and found nothing that fails. A job allows this code and shows a warning. */
export const EXIT_UNCHECKED = 77;

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_MAX_AGE_MS = 30 * DAY_MS;

const HELP = `trivy: scan images for known vulnerabilities (Updraft's own, with the command line of Trivy ${TRIVY_VERSION})

Usage:
  trivy image [OPTION...] IMAGE           an image, by name or --input FILE
  trivy fs [OPTION...] FOLDER             a project: its lock files
  trivy rootfs [OPTION...] FOLDER         a root file system: what is installed in it
  trivy sbom [OPTION...] FILE             a bill of materials (CycloneDX or SPDX, JSON)
  trivy registry login --username NAME --password-stdin REGISTRY
  trivy version

  -s, --severity LIST     UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL (default: all)
      --exit-code N       exit code when something was found (default 0)
      --exit-on-eol N     exit code when the distribution gets no more fixes
      --ignore-unfixed    leave out what has no fix
      --ignore-status LIST
      --ignorefile FILE   accepted ids (default .trivyignore), "ID exp:YYYY-MM-DD"; or YAML
      --vex FILE          what a VEX document (OpenVEX, CycloneDX) says does not matter is accepted
  -f, --format FORMAT     table, json, sarif, cyclonedx, spdx-json, gitlab, template (@contrib/gitlab.tpl)
  -o, --output FILE
      --pkg-types LIST    os,library       --scanners LIST   vuln,secret
      --skip-dirs LIST  --skip-files LIST  --include-dev-deps  --list-all-pkgs
      --db PLACE          folder, file or URL of OSV records, or "osv" for what osv.dev exports
      --skip-db-update, --offline-scan     fetch nothing
      --input FILE        an archive or an OCI layout
      --timeout 5m0s  -q, --quiet

Exit codes: 0 nothing to fail for; N of --exit-code; 1 any error; ${EXIT_UNCHECKED} something could not be checked
(no advisories for it, or they are too old) and nothing else failed.
`;

const SUBJECTS: Readonly<Record<string, SubjectKind>> = {
  image: 'image',
  i: 'image',
  fs: 'fs',
  filesystem: 'fs',
  rootfs: 'rootfs',
  sbom: 'sbom',
};

const COMMANDS = [...Object.keys(SUBJECTS), 'registry', 'version', 'help'];

/** Of the original, not here. */
const OTHER_COMMANDS = ['aws', 'clean', 'config', 'convert', 'kubernetes', 'k8s', 'module', 'plugin', 'repository', 'repo', 'server', 'client', 'vex', 'vm']; // prettier-ignore

/** `trivy`'s command line. */
export async function trivyCommand(argv: readonly string[], io: TrivyIo): Promise<number> {
  const at = commandIndex(argv);
  const command = at < 0 ? defaultCommand(argv) : argv[at];
  const rest = argv.filter((_, index) => index !== at);
  const kind = Object.hasOwn(SUBJECTS, command ?? '') ? SUBJECTS[command ?? ''] : undefined;
  if (kind !== undefined) return subjectCommand(kind, rest, io);
  switch (command) {
    case 'registry':
      return registryCommand(rest, io);
    case 'version':
      return print(io, `Version: ${TRIVY_VERSION} (command line and reports, by Updraft)\n`);
    case 'help':
      return print(io, HELP);
    default:
      return fail(io, [unknownCommand(command)]);
  }
}

/** Where the first word stands that is neither an option nor an option's value. */
function commandIndex(argv: readonly string[]): number {
  const isValue = (index: number) =>
    SCAN_FLAGS.some((flag) => flag.kind !== 'switch' && isFlag(argv[index - 1], flag));
  return argv.findIndex((arg, index) => !arg.startsWith('-') && !isValue(index));
}

function isFlag(arg: string | undefined, { name, short, aliases = [] }: FlagSpec): boolean {
  return (
    [name, ...aliases].some((known) => arg === `--${known}`) || (short !== undefined && arg === `-${short}`)
  );
}

function defaultCommand(argv: readonly string[]): string {
  if (argv.includes('--version') || argv.includes('-v')) return 'version';
  return argv.length === 0 || argv.includes('--help') || argv.includes('-h') ? 'help' : (argv[0] ?? '');
}

function unknownCommand(command: string | undefined): string {
  const written = command ?? '';
  if (OTHER_COMMANDS.includes(written)) return `trivy ${written} is not supported by this scan`;
  const near = nearest(written, COMMANDS);
  return `unknown command ${written}${near === undefined ? '' : ` (did you mean ${near}?)`}`;
}

function print(io: CommandIo, text: string): number {
  io.stdout(text);
  return 0;
}

/** `updraft scan`: the same scan without the command word. */
export function scanCommand(
  argv: readonly string[],
  io: TrivyIo,
  kind: SubjectKind = 'image',
): Promise<number> {
  return subjectCommand(kind, argv, io);
}

async function subjectCommand(kind: SubjectKind, argv: readonly string[], io: TrivyIo): Promise<number> {
  const { options, flags, errors, warnings } = readOptions(argv, io.env);
  if (flags.values.has('help')) return print(io, HELP);
  const usage = [...errors, ...usageErrors(kind, flags.positionals, options, io)];
  if (usage.length > 0) return fail(io, usage);
  for (const warning of warnings) io.stderr(`trivy: warning: ${warning}\n`);
  const name = options.input ?? flags.positionals[0] ?? '';
  return guarded(io, options, () => scanSubject(kind, name, options, io));
}

const WHAT: Readonly<Record<SubjectKind, string>> = {
  image: 'image',
  fs: 'folder',
  rootfs: 'folder',
  sbom: 'file',
};

function usageErrors(
  kind: SubjectKind,
  [name, ...extra]: readonly string[],
  { input, scanners }: ScanOptions,
  io: TrivyIo,
): readonly string[] {
  const what = WHAT[kind];
  const checks: readonly (readonly [boolean, string])[] = [
    [name === undefined && input === undefined, `no ${what} is named`],
    [extra.length > 0, `one ${what} at a time, not also ${extra.join(', ')}`],
    [input !== undefined && (kind !== 'image' || !io.input), 'the option --input is not supported here'],
    [what === 'folder' && io.folder === undefined, `trivy ${kind} is not supported here`],
    [kind === 'sbom' && !scanners.includes('vuln'), 'a bill of materials holds no secrets to look for'],
  ];
  return checks.flatMap(([isWrong, message]) => (isWrong ? [message] : []));
}

function fail(io: CommandIo, errors: readonly string[]): number {
  for (const error of errors) io.stderr(`trivy: error: ${error}\n`);
  return 1;
}

/** Any error is exit code 1, whatever `--exit-code` says; so is running out of time. */
async function guarded(io: TrivyIo, options: ScanOptions, work: () => Promise<number>): Promise<number> {
  const abort = new AbortController();
  const timeout = io.clock.sleep(options.timeoutMs, abort.signal).then(
    () => fail(io, [`the scan took longer than ${options.timeoutMs / 1000} s (--timeout)`]),
    () => 1,
  );
  try {
    return await Promise.race([work(), timeout]);
  } catch (error) {
    const next = error instanceof Fault && error.next !== undefined ? [error.next] : [];
    return fail(io, [messageOf(error), ...next]);
  } finally {
    abort.abort();
  }
}

async function scanSubject(
  kind: SubjectKind,
  name: string,
  options: ScanOptions,
  io: TrivyIo,
): Promise<number> {
  const subject = await openSubject(kind, name, options, io);
  const { entries: accepted, problems } = await readAcceptances(vexSubject(name, subject), options, io);
  if (problems.length > 0) return fail(io, problems);
  const { inventory } = subject.inspection;
  const looked = { ...inventory, packages: wantedPackages(inventory, options) };
  const advisories = await openAdvisories(looked, options, io);
  try {
    const { artifactType, image } = subject;
    const context = { artifactName: name, artifactType, image, accepted, nowMs: io.clock.now() };
    const report = withGaps(scan(subject.inspection, advisories, options, context), subject);
    await write(render(report, looked, options), options, io);
    const isStale = tellAge(advisories, options, io);
    tell(report, options, io);
    return exitCode(report, options, isStale);
  } finally {
    advisories?.close();
  }
}

function vexSubject(name: string, { image }: Subject): VexSubject {
  const digests = image === undefined ? [] : [image.digest, image.configDigest];
  return { names: [name, ...(image?.repoTags ?? [])], digests };
}

function withGaps(report: ScanReport, { gaps }: Subject): ScanReport {
  const unchecked = gaps.map((reason) => ({ ecosystem: 'other' as const, packages: 0, reason }));
  return { ...report, unchecked: [...report.unchecked, ...unchecked] };
}

/** Faults that mean that there is no data: the scan then says what it could not check, and goes on. */
const NO_DATA = ['ADVISORIES_MISSING', 'ADVISORIES_NOT_FETCHED'];

async function openAdvisories(
  looked: Inventory,
  { scanners, database, isOffline, isQuiet }: ScanOptions,
  io: TrivyIo,
): Promise<Advisories | undefined> {
  if (!scanners.includes('vuln')) return undefined;
  const onLog = (line: string) => {
    if (!isQuiet) io.stderr(`trivy: ${line}\n`);
  };
  try {
    const ecosystems = neededEcosystems(looked);
    return await io.advisories({ ecosystems, location: database, isOffline, onLog });
  } catch (error) {
    if (!NO_DATA.includes(codeOf(error) ?? '')) throw error;
    const next = error instanceof Fault && error.next !== undefined ? ` ${error.next}` : '';
    io.stderr(`trivy: warning: ${messageOf(error)}.${next}\n`);
    return undefined;
  }
}

function render(report: ScanReport, { packages }: Inventory, { format }: ScanOptions): string {
  switch (format) {
    case 'json':
      return jsonReport(report);
    case 'sarif':
      return sarifReport(report);
    case 'cyclonedx':
      return cyclonedxReport(report, packages);
    case 'spdx-json':
      return spdxReport(report, packages);
    case 'gitlab':
    case 'template':
      return gitlabReport(report);
    case 'table':
      return tableReport(report);
    default:
      return format satisfies never;
  }
}

async function write(text: string, { output }: ScanOptions, io: TrivyIo): Promise<void> {
  if (output === undefined || output === '') io.stdout(text);
  else await io.writeFile(output, text);
}

/** Says how old the advisories are; true when that is too old to pass on. */
function tellAge(advisories: Advisories | undefined, { isQuiet }: ScanOptions, io: TrivyIo): boolean {
  if (advisories === undefined) return false;
  const date = new Date(advisories.dateMs).toISOString().slice(0, 10);
  const isStale = io.clock.now() - advisories.dateMs > (io.maxAdvisoryAgeMs ?? DEFAULT_MAX_AGE_MS);
  if (isStale) io.stderr(`trivy: warning: the advisories are of ${date}: too old to pass on\n`);
  else if (!isQuiet) io.stderr(`trivy: advisories of ${date}\n`);
  return isStale;
}

/** What is to be known whatever the format and wherever the report went; `--quiet` does not silence gaps. */
function tell(report: ScanReport, { format, output, scanners }: ScanOptions, io: TrivyIo): void {
  const isOnScreen = format === 'table' && output === undefined;
  if (!isOnScreen) for (const line of uncheckedLines(report.unchecked)) io.stderr(`trivy: ${line}\n`);
  if (!['table', 'json', 'sarif'].includes(format)) tellSecrets(report, io);
  if (!scanners.includes('vuln')) io.stderr('trivy: NOT CHECKED: vulnerabilities (--scanners)\n');
  if (report.isEndOfLife) {
    io.stderr(`trivy: warning: ${report.os?.family} ${report.os?.version} gets no more security fixes\n`);
  }
}

/** These formats have no place for secrets. */
function tellSecrets({ secrets = [] }: ScanReport, io: TrivyIo): void {
  for (const secret of secrets) {
    const { severity, ruleId, line } = secret;
    io.stderr(
      `trivy: secret (not in this report): ${severity} ${ruleId} in ${secretPlace(secret)}:${line}\n`,
    );
  }
}

function exitCode(report: ScanReport, options: ScanOptions, isStale: boolean): number {
  if (options.exitOnEol > 0 && report.isEndOfLife) return options.exitOnEol;
  const hasFindings =
    (report.secrets ?? []).length > 0 ||
    report.results.some(({ vulnerabilities }) => vulnerabilities.length > 0);
  if (hasFindings && options.exitCode > 0) return options.exitCode;
  const isUnchecked = report.unchecked.length > 0 || isStale;
  return isUnchecked ? EXIT_UNCHECKED : 0;
}
