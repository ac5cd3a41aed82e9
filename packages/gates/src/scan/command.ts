import { Fault, messageOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { nearest } from '../command/flags.ts';
import type { FlagSpec } from '../command/flags.ts';
import type { CommandIo } from '../command/io.ts';
import type { Advisories } from './advisories/load.ts';
import { parseIgnoreFile } from './ignore-file.ts';
import type { IgnoreEntry } from './ignore-file.ts';
import { inspectLayers } from './inventory.ts';
import type { SummaryCache } from './inventory.ts';
import type { Inventory } from './inventory-types.ts';
import { SCAN_FLAGS, readOptions } from './options.ts';
import type { ScanOptions } from './options.ts';
import { registryCommand } from './registry-command.ts';
import { cyclonedxReport } from './report/cyclonedx.ts';
import { gitlabReport } from './report/gitlab.ts';
import { jsonReport } from './report/json.ts';
import type { ScanReport } from './report/model.ts';
import { sarifReport } from './report/sarif.ts';
import { tableReport, uncheckedLines } from './report/table.ts';
import { TRIVY_VERSION, scan } from './scan.ts';
import { ownLayers } from './scan-image.ts';
import type { ScanImage } from './scan-image.ts';

/** What the scan may touch. */
export interface TrivyIo extends CommandIo {
  /** Finds an image by the name on the command line: in the store, or wherever the platform pulls from. */
  image(reference: string): Promise<ScanImage | 'notFound'>;
  /** Opens the file of `--input`; without it that option is an error. */
  readonly input?: (path: string) => Promise<ScanImage | 'notFound'>;
  /** undefined: there is no data, so nothing can be checked. */
  advisories(): Promise<Advisories | undefined>;
  /** Writes the file of `--output`, in the working directory of the job. */
  writeFile(path: string, text: string): Promise<void>;
  readonly clock: Clock;
  /** Older advisories judge, but do not pass. Default: 30 days. */
  readonly maxAdvisoryAgeMs?: number;
  readonly summaries?: SummaryCache;
  /** Keeps the credentials of `registry login`; without it they are not needed. */
  readonly login?: (registry: string, credentials: { username: string; password: string }) => Promise<void>;
}

/** The scan could not check everything, and found nothing that fails. A job allows this code and shows a warning. */
export const EXIT_UNCHECKED = 77;

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_MAX_AGE_MS = 30 * DAY_MS;

const HELP = `trivy: scan images for known vulnerabilities (Updraft's own, with the command line of Trivy ${TRIVY_VERSION})

Usage:
  trivy image [OPTION...] IMAGE
  trivy registry login --username NAME --password-stdin REGISTRY
  trivy version

  -s, --severity LIST     UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL (default: all)
      --exit-code N       exit code when something was found (default 0)
      --exit-on-eol N     exit code when the distribution gets no more fixes
      --ignore-unfixed    leave out what has no fix
      --ignore-status LIST
      --ignorefile FILE   accepted ids (default .trivyignore), "ID exp:YYYY-MM-DD"
  -f, --format FORMAT     table, json, sarif, cyclonedx, template (@contrib/gitlab.tpl)
  -o, --output FILE
      --pkg-types LIST    os,library       --scanners LIST   vuln,secret
      --input FILE  --timeout 5m0s  --list-all-pkgs  -q, --quiet

Exit codes: 0 nothing to fail for; N of --exit-code; 1 any error; ${EXIT_UNCHECKED} something could not be checked
(no advisories for it, or they are too old) and nothing else failed.
`;

const COMMANDS = ['image', 'registry', 'version', 'help'];

/** Of the original, not here. */
const OTHER_COMMANDS = ['aws', 'clean', 'config', 'convert', 'filesystem', 'fs', 'kubernetes', 'k8s', 'module', 'plugin', 'repository', 'repo', 'rootfs', 'sbom', 'server', 'client', 'vex', 'vm']; // prettier-ignore

/** `trivy`'s command line. */
export async function trivyCommand(argv: readonly string[], io: TrivyIo): Promise<number> {
  const at = commandIndex(argv);
  const command = at < 0 ? defaultCommand(argv) : argv[at];
  const rest = argv.filter((_, index) => index !== at);
  switch (command) {
    case 'image':
    case 'i':
      return imageCommand(rest, io);
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
export function scanCommand(argv: readonly string[], io: TrivyIo): Promise<number> {
  return imageCommand(argv, io);
}

async function imageCommand(argv: readonly string[], io: TrivyIo): Promise<number> {
  const { options, flags, errors, warnings } = readOptions(argv, io.env);
  if (flags.values.has('help')) return print(io, HELP);
  const [reference, ...extra] = flags.positionals;
  const usage = [...errors];
  if (reference === undefined && options.input === undefined) usage.push('no image is named');
  if (extra.length > 0) usage.push(`one image at a time, not also ${extra.join(', ')}`);
  if (options.input !== undefined && io.input === undefined)
    usage.push('the option --input is not supported here');
  if (usage.length > 0) return fail(io, usage);
  for (const warning of warnings) io.stderr(`trivy: warning: ${warning}\n`);
  return guarded(io, options, () => scanImage(options.input ?? reference ?? '', options, io));
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

async function scanImage(name: string, options: ScanOptions, io: TrivyIo): Promise<number> {
  const open = options.input === undefined ? io.image.bind(io) : io.input;
  const image = await open?.(name);
  if (image === undefined || image === 'notFound') return fail(io, [`there is no image ${name}`]);
  const accepted = await ignoreEntries(options, io);
  if (accepted === undefined) return 1;
  const advisories = await io.advisories();
  const secretLayers = options.scanners.includes('secret') ? ownLayers(image) : [];
  const inspection = await inspectLayers(image.layers, { cache: io.summaries, secretLayers });
  const context = { artifactName: name, image, accepted, nowMs: io.clock.now() };
  const report = scan(inspection, advisories, options, context);
  await write(render(report, inspection.inventory, options), options, io);
  const isStale = tellAge(advisories, options, io);
  tell(report, options, io);
  return exitCode(report, options, isStale);
}

async function ignoreEntries(options: ScanOptions, io: TrivyIo): Promise<readonly IgnoreEntry[] | undefined> {
  const path = options.ignoreFile ?? '.trivyignore';
  const text = await io.readFile(path);
  if (/\.ya?ml$/.test(path)) {
    fail(io, [`ignore files in YAML (${path}) are not supported yet`]);
    return undefined;
  }
  if (text === undefined && options.ignoreFile !== undefined) {
    fail(io, [`there is no ignore file ${path}`]);
    return undefined;
  }
  const { entries, problems } = parseIgnoreFile(text ?? '');
  for (const problem of problems) io.stderr(`trivy: warning: ${path}: ${problem}\n`);
  return entries;
}

function render(report: ScanReport, inventory: Inventory, { format }: ScanOptions): string {
  switch (format) {
    case 'json':
      return jsonReport(report);
    case 'sarif':
      return sarifReport(report);
    case 'cyclonedx':
      return cyclonedxReport(report, inventory.packages);
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
  if (format === 'template' || format === 'cyclonedx') tellSecrets(report, io);
  if (!scanners.includes('vuln')) io.stderr('trivy: NOT CHECKED: vulnerabilities (--scanners)\n');
  if (report.isEndOfLife) {
    io.stderr(`trivy: warning: ${report.os?.family} ${report.os?.version} gets no more security fixes\n`);
  }
}

/** These formats have no place for secrets. */
function tellSecrets({ secrets = [] }: ScanReport, io: TrivyIo): void {
  for (const { severity, ruleId, path, line } of secrets) {
    io.stderr(`trivy: secret (not in this report): ${severity} ${ruleId} in /${path}:${line}\n`);
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
