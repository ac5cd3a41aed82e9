import { isTruthy, nearest, parseFlags, splitList } from '../command/flags.ts';
import type { FlagSpec, ParsedFlags } from '../command/flags.ts';
import type { CommandIo } from '../command/io.ts';
import type { Status } from './advisories/advisory.ts';
import { SEVERITIES, toSeverity } from './severity.ts';
import type { Severity } from './severity.ts';

export type ScanFormat = 'table' | 'json' | 'sarif' | 'cyclonedx' | 'spdx-json' | 'gitlab' | 'template';

export type PackageType = 'os' | 'library';

export interface ScanOptions {
  readonly severities: readonly Severity[];
  readonly exitCode: number;
  readonly exitOnEol: number;
  readonly ignoreUnfixed: boolean;
  readonly ignoredStatuses: readonly Status[];
  readonly format: ScanFormat;
  readonly template: string;
  readonly output: string | undefined;
  readonly scanners: readonly string[];
  readonly packageTypes: readonly PackageType[];
  readonly ignoreFile: string | undefined;
  readonly input: string | undefined;
  readonly isQuiet: boolean;
  readonly timeoutMs: number;
  readonly listAllPackages: boolean;
  readonly includeDevDependencies: boolean;
  /** VEX documents. */
  readonly vex: readonly string[];
  /** Patterns of paths that are left out. */
  readonly skipped: readonly string[];
  /** Where the advisories are, instead of the usual place. */
  readonly database: string | undefined;
  /** Ask nobody for newer advisories. */
  readonly isOffline: boolean;
}

/** Options that do something here. */
const HEEDED: readonly FlagSpec[] = [
  { name: 'severity', short: 's', kind: 'list' },
  { name: 'exit-code', kind: 'value' },
  { name: 'exit-on-eol', kind: 'value' },
  { name: 'ignore-unfixed', kind: 'switch' },
  { name: 'ignore-status', kind: 'list' },
  { name: 'format', short: 'f', kind: 'value' },
  { name: 'template', short: 't', kind: 'value' },
  { name: 'output', short: 'o', kind: 'value' },
  { name: 'scanners', aliases: ['security-checks'], kind: 'list' },
  { name: 'pkg-types', aliases: ['vuln-type'], kind: 'list' },
  { name: 'ignorefile', kind: 'value' },
  { name: 'input', kind: 'value' },
  { name: 'quiet', short: 'q', kind: 'switch' },
  { name: 'timeout', kind: 'value' },
  { name: 'list-all-pkgs', kind: 'switch' },
  { name: 'include-dev-deps', kind: 'switch' },
  { name: 'vex', kind: 'list' },
  { name: 'skip-dirs', kind: 'list' },
  { name: 'skip-files', kind: 'list' },
  { name: 'db', kind: 'value' },
  { name: 'skip-db-update', aliases: ['skip-update'], kind: 'switch' },
  { name: 'offline-scan', kind: 'switch' },
  { name: 'help', short: 'h', kind: 'switch' },
  { name: 'version', short: 'v', kind: 'switch' },
];

/** Options about downloads and decoration: there is nothing of the kind here, so they are fulfilled by doing nothing. */
const WITHOUT_EFFECT: readonly FlagSpec[] = [
  { name: 'no-progress', kind: 'switch' },
  { name: 'skip-java-db-update', kind: 'switch' },
  { name: 'skip-check-update', aliases: ['skip-policy-update'], kind: 'switch' },
  { name: 'skip-version-check', kind: 'switch' },
  { name: 'skip-vex-repo-update', kind: 'switch' },
  { name: 'disable-telemetry', kind: 'switch' },
  { name: 'cache-dir', kind: 'value' },
  { name: 'cache-backend', kind: 'value' },
  { name: 'db-repository', kind: 'list' },
  { name: 'java-db-repository', kind: 'list' },
  { name: 'insecure', kind: 'switch' },
  { name: 'debug', short: 'd', kind: 'switch' },
  { name: 'image-src', kind: 'list' },
  { name: 'parallel', kind: 'value' },
];

/** Options of the original that would change the verdict and are not there yet: naming one is an error. */
const UNSUPPORTED: readonly string[] = [
  'clear-cache', 'compliance', 'config', 'config-check', 'config-data', 'custom-headers', 'dependency-tree', 'detection-priority',
  'distro', 'docker-host', 'download-db-only', 'download-java-db-only', 'enable-modules', 'file-patterns', 'generate-default-config',
  'helm-set', 'helm-values', 'ignore-policy', 'ignored-licenses', 'image-config-scanners', 'include-non-failures',
  'license-full', 'list-all-packages', 'max-image-size', 'misconfig-scanners', 'module-dir', 'no-tty', 'output-plugin-arg', 'password',
  'password-stdin', 'pkg-relationships', 'platform', 'podman-host', 'redis-ca', 'registry-token', 'rekor-url', 'removed-pkgs', 'report',
  'reset', 'sbom-sources', 'secret-config', 'server', 'show-suppressed', 'table-mode', 'token', 'token-header',
  'trace', 'username', 'vuln-severity-source',
]; // prettier-ignore

export const SCAN_FLAGS: readonly FlagSpec[] = [...HEEDED, ...WITHOUT_EFFECT];

export interface ReadOptions {
  readonly options: ScanOptions;
  readonly flags: ParsedFlags;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** Options from the flags and, where a flag is silent, from `TRIVY_…`. */
export function readOptions(argv: readonly string[], env: CommandIo['env']): ReadOptions {
  const flags = parseFlags(argv, SCAN_FLAGS);
  const reader = new OptionReader(flags, env);
  const options = reader.options();
  const errors = [...flags.errors.map(explainUnsupported), ...reader.errors];
  return { options, flags, errors, warnings: unsupportedVariables(env) };
}

/** An option of the original is told apart from one that nobody knows. */
function explainUnsupported(error: string): string {
  const name = /unknown option --?([\w-]+)/.exec(error)?.[1];
  if (name === undefined) return error;
  if (UNSUPPORTED.includes(name)) return `the option --${name} is Trivy's, but this scan does not support it`;
  const near = nearest(name, [...UNSUPPORTED, ...SCAN_FLAGS.map((spec) => spec.name)]);
  return error.includes('did you mean') || near === undefined ? error : `${error} (did you mean --${near}?)`;
}

function unsupportedVariables(env: CommandIo['env']): readonly string[] {
  return UNSUPPORTED.map(variableOf)
    .filter((name) => env[name] !== undefined && !['TRIVY_USERNAME', 'TRIVY_PASSWORD'].includes(name))
    .map((name) => `${name} is set, but this scan does not support it`);
}

function variableOf(flag: string): string {
  return `TRIVY_${flag.toUpperCase().replaceAll('-', '_')}`;
}

const STATUSES: readonly Status[] = [
  'unknown', 'not_affected', 'affected', 'fixed', 'under_investigation', 'will_not_fix', 'fix_deferred', 'end_of_life',
]; // prettier-ignore

const FORMATS: readonly ScanFormat[] = [
  'table',
  'json',
  'sarif',
  'cyclonedx',
  'spdx-json',
  'gitlab',
  'template',
];

class OptionReader {
  readonly errors: string[] = [];
  readonly #flags: ParsedFlags;
  readonly #env: CommandIo['env'];

  constructor(flags: ParsedFlags, env: CommandIo['env']) {
    this.#flags = flags;
    this.#env = env;
  }

  options(): ScanOptions {
    return {
      severities: this.#severities(),
      exitCode: this.#number('exit-code'),
      exitOnEol: this.#number('exit-on-eol'),
      ignoreUnfixed: this.#isOn('ignore-unfixed'),
      ignoredStatuses: this.#oneOf('ignore-status', STATUSES) ?? [],
      format: this.#format(),
      template: this.#text('template') ?? '',
      output: this.#text('output'),
      scanners: this.#scanners(this.#list('scanners')),
      packageTypes: this.#oneOf<PackageType>('pkg-types', ['os', 'library']) ?? ['os', 'library'],
      ignoreFile: this.#text('ignorefile'),
      input: this.#text('input'),
      isQuiet: this.#isOn('quiet'),
      timeoutMs: this.#duration(),
      listAllPackages: this.#isOn('list-all-pkgs'),
      includeDevDependencies: this.#isOn('include-dev-deps'),
      vex: this.#list('vex') ?? [],
      skipped: [
        ...(this.#list('skip-dirs') ?? []).map((folder) => `${folder.replace(/\/+$/, '')}/**`),
        ...(this.#list('skip-files') ?? []),
      ],
      database: this.#text('db'),
      isOffline: this.#isOn('skip-db-update') || this.#isOn('offline-scan'),
    };
  }

  #list(name: string): readonly string[] | undefined {
    const spec = SCAN_FLAGS.find((flag) => flag.name === name);
    const names = [name, ...(spec?.aliases ?? [])];
    const variable = names.map((known) => this.#env[variableOf(known)]).find((value) => value !== undefined);
    const given = this.#flags.values.get(name);
    if (given !== undefined) return given;
    if (variable === undefined) return undefined;
    return spec?.kind === 'list' ? splitList(variable) : [variable];
  }

  #text(name: string): string | undefined {
    return this.#list(name)?.at(-1);
  }

  #isOn(name: string): boolean {
    return isTruthy(this.#text(name)) ?? false;
  }

  #number(name: string): number {
    const text = this.#text(name) ?? '0';
    if (/^\d{1,3}$/.test(text) && Number(text) < 256) return Number(text);
    this.errors.push(`--${name} is a number from 0 to 255, not ${text}`);
    return 1;
  }

  #oneOf<T extends string>(name: string, allowed: readonly T[]): readonly T[] | undefined {
    return this.#list(name)?.flatMap((text) => {
      const known = allowed.find((value) => value === text);
      if (known === undefined) this.errors.push(`--${name} knows ${allowed.join(', ')}, not ${text}`);
      return known === undefined ? [] : [known];
    });
  }

  #severities(): readonly Severity[] {
    const asked = this.#list('severity')?.map((text) => {
      const severity = toSeverity(text);
      if (severity === undefined || severity !== text.toUpperCase()) {
        this.errors.push(`--severity knows ${SEVERITIES.join(', ')}, not ${text}`);
      }
      return severity;
    });
    return asked === undefined ? SEVERITIES : SEVERITIES.filter((severity) => asked.includes(severity));
  }

  #format(): ScanFormat {
    const text = this.#text('format') ?? 'table';
    const format = FORMATS.find((known) => known === text);
    if (format === undefined) this.errors.push(`--format knows ${FORMATS.join(', ')}, not ${text}`);
    const template = this.#text('template') ?? '';
    if (format === 'template' && !/^@.*\bgitlab\.tpl$/.test(template)) {
      this.errors.push(`--template knows @contrib/gitlab.tpl only, not ${template || 'nothing'}`);
    }
    return format ?? 'table';
  }

  #scanners(asked: readonly string[] | undefined): readonly string[] {
    for (const scanner of asked ?? []) {
      if (scanner === 'vuln' || scanner === 'secret') continue;
      this.errors.push(`--scanners: ${scanner} is not supported by this scan`);
    }
    return asked ?? ['vuln', 'secret'];
  }

  #duration(): number {
    const text = this.#text('timeout') ?? '5m0s';
    const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text);
    const [hours = 0, minutes = 0, seconds = 0] = (match ?? []).slice(1).map((part) => Number(part ?? 0));
    const ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
    if (match === null || ms === 0) this.errors.push(`--timeout is a duration like 5m0s, not ${text}`);
    return ms;
  }
}
