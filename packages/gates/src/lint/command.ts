import { messageOf } from '@updraft/kit';
import { parseFlags } from '../command/flags.ts';
import type { FlagSpec, ParsedFlags } from '../command/flags.ts';
import type { CommandIo } from '../command/io.ts';
import { configFileLayer } from './config-file.ts';
import { explainRule } from './explain.ts';
import { atLeast } from './finding.ts';
import type { Finding } from './finding.ts';
import { FORMATTERS } from './formats/all.ts';
import type { FileFindings, LintFormat } from './formats/all.ts';
import { environmentLayer, flagLayer, mergeLayers } from './layers.ts';
import type { CommandSettings } from './layers.ts';
import { lintDockerfile, lintDockerfileWithShell } from './lint.ts';
import type { ShellCheck } from './shellcheck.ts';

export interface HadolintIo extends CommandIo {
  /** Looks into RUN; when absent that is said once on standard error. */
  readonly shellcheck?: ShellCheck;
}

const FLAGS: readonly FlagSpec[] = [
  { name: 'version', short: 'v', kind: 'switch' },
  { name: 'help', short: 'h', kind: 'switch' },
  { name: 'config', short: 'c', kind: 'value' },
  { name: 'file-path-in-report', kind: 'value' },
  { name: 'no-fail', kind: 'switch' },
  { name: 'no-color', kind: 'switch' },
  { name: 'verbose', short: 'V', kind: 'switch' },
  { name: 'format', short: 'f', kind: 'value' },
  { name: 'error', kind: 'list' },
  { name: 'warning', kind: 'list' },
  { name: 'info', kind: 'list' },
  { name: 'style', kind: 'list' },
  { name: 'ignore', kind: 'list' },
  { name: 'trusted-registry', kind: 'list' },
  { name: 'require-label', kind: 'list' },
  { name: 'strict-labels', kind: 'switch' },
  { name: 'disable-ignore-pragma', kind: 'switch' },
  { name: 'failure-threshold', short: 't', kind: 'value' },
  { name: 'rules', kind: 'value' },
  { name: 'explain', kind: 'value' },
];

const HELP = `hadolint: lint Dockerfiles (Updraft's own, with the command line and rule codes of Hadolint 2.12)

Usage: hadolint [OPTION...] DOCKERFILE...      ("-" is standard input)

  -c, --config FILE              configuration instead of .hadolint.yaml
  -f, --format FORMAT            ${Object.keys(FORMATTERS).join(', ')}
  -t, --failure-threshold LEVEL  error, warning, info (default), style, ignore, none
      --no-fail                  exit 0 whatever is found
      --error|--warning|--info|--style CODE   give a rule this level
      --ignore CODE              leave a rule out
      --trusted-registry HOST    registries that FROM may name
      --require-label NAME:TYPE  labels that have to be there
      --strict-labels            no labels but those
      --disable-ignore-pragma    do not heed "# hadolint ignore="
      --rules SET                compatible (Hadolint 2.12, default), newest, all (with Updraft's own, UP…)
      --explain CODE             what a rule is about, with a bad and a good example
      --file-path-in-report PATH name of the file in the report
  -v, --version  -V, --verbose  --no-color  -h, --help
`;

/** These formats are for tools that read the report; the original never fails with them. */
const NEVER_FAILING: readonly LintFormat[] = ['codeclimate', 'codacy'];

/** These name the file as `--file-path-in-report` says. */
const NAMING: readonly LintFormat[] = ['checkstyle', 'codeclimate', 'gitlab_codeclimate', 'sonarqube'];

/**
 * `hadolint`'s command line. Exit code 0: nothing at or above the threshold; 1: something, a file that does not
 * parse or cannot be read, or wrong usage.
 */
export async function hadolintCommand(argv: readonly string[], io: HadolintIo): Promise<number> {
  const parsed = parseFlags(argv, FLAGS);
  if (parsed.values.has('help')) return print(io, HELP);
  if (parsed.values.has('version'))
    return print(io, 'Hadolint 2.12.0 (command line and rules, by Updraft)\n');
  const explained = parsed.values.get('explain')?.[0];
  if (explained !== undefined) return explain(explained, io);
  const { layer, errors } = flagLayer(parsed);
  const wrong = [
    ...parsed.errors,
    ...errors,
    ...(parsed.positionals.length === 0 ? ['no Dockerfile is named'] : []),
  ];
  if (wrong.length > 0) return fail(io, wrong);
  const file = await configFileLayer(io, parsed.values.get('config')?.[0]);
  return lintFiles(parsed, mergeLayers([environmentLayer(io.env), file, layer]), io);
}

function print(io: CommandIo, text: string): number {
  io.stdout(text);
  return 0;
}

function explain(code: string, io: CommandIo): number {
  const page = explainRule(code);
  return page === undefined ? fail(io, [`there is no rule ${code}`]) : print(io, page);
}

function fail(io: CommandIo, errors: readonly string[]): number {
  for (const error of errors) io.stderr(`hadolint: ${error}\n`);
  io.stderr('Run hadolint --help for the options.\n');
  return 1;
}

async function lintFiles(parsed: ParsedFlags, settings: CommandSettings, io: HadolintIo): Promise<number> {
  if (io.shellcheck === undefined) {
    io.stderr(
      'hadolint: ShellCheck is not available: the scripts inside RUN were not checked for SC rules\n',
    );
  }
  const report = parsed.values.get('file-path-in-report')?.[0];
  const texts = await Promise.all(parsed.positionals.map((path) => readText(path, io)));
  const known = texts.filter((text) => text !== undefined);
  const linted = await Promise.all(known.map((text) => lintText(text, settings, io)));
  const results = linted.map((result) => ({ ...result, file: nameInReport(result.file, settings, report) }));
  io.stdout(FORMATTERS[settings.format](results));
  if (known.length < texts.length) return 1;
  return exitCode(
    settings,
    results.flatMap(({ findings }) => findings),
  );
}

interface NamedText {
  readonly path: string;
  readonly text: string;
}

const STANDARD_INPUT = ['-', '/dev/stdin'];

async function readText(path: string, io: HadolintIo): Promise<NamedText | undefined> {
  const text = STANDARD_INPUT.includes(path) ? await io.stdin() : await io.readFile(path);
  if (text === undefined) io.stderr(`hadolint: ${path}: there is no such file\n`);
  return text === undefined ? undefined : { path, text };
}

async function lintText(
  { path, text }: NamedText,
  settings: CommandSettings,
  io: HadolintIo,
): Promise<FileFindings> {
  if (io.shellcheck === undefined) return { file: path, findings: lintDockerfile(text, settings) };
  try {
    return { file: path, findings: await lintDockerfileWithShell(text, settings, io.shellcheck) };
  } catch (error) {
    io.stderr(`hadolint: ${path}: ShellCheck failed, SC rules were not checked: ${messageOf(error)}\n`);
    return { file: path, findings: lintDockerfile(text, settings) };
  }
}

function nameInReport(file: string, { format }: CommandSettings, given: string | undefined): string {
  return NAMING.includes(format) ? (given ?? file) : file;
}

function exitCode(
  { noFail, format, failureThreshold }: CommandSettings,
  findings: readonly Finding[],
): number {
  if (noFail || NEVER_FAILING.includes(format)) return 0;
  return findings.some(({ severity }) => atLeast(severity, failureThreshold)) ? 1 : 0;
}
