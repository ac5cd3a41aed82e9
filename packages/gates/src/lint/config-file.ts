import { parse } from 'yaml';
import { messageOf } from '@updraft/kit';
import type { CommandIo } from '../command/io.ts';
import type { LintSeverity } from './finding.ts';
import { isFormat } from './formats/all.ts';
import { toLabelType, toRuleSet, toSeverity } from './layers.ts';
import type { SettingsLayer } from './layers.ts';
import type { LabelType, RuleSetName } from './settings.ts';

/** Where a configuration is looked for, best first. */
function candidates(env: CommandIo['env']): readonly string[] {
  const home = env['HOME'] ?? '';
  const config = env['XDG_CONFIG_HOME'] ?? `${home}/.config`;
  const folders = [
    `${config}/hadolint`,
    `${home}/.hadolint/hadolint`,
    `${home}/hadolint/config`,
    `${home}/.hadolint`,
  ];
  return ['.hadolint', ...folders].flatMap((file) => [`${file}.yaml`, `${file}.yml`]);
}

/**
 * The settings of the configuration file: of `named`, else of the first there is. A file that cannot be read or
 * understood is said on standard error and then left out, as the original does.
 */
export async function configFileLayer(io: CommandIo, named: string | undefined): Promise<SettingsLayer> {
  for (const path of named === undefined ? candidates(io.env) : [named]) {
    const text = await io.readFile(path);
    if (text !== undefined) return readLayer(io, path, text);
  }
  if (named !== undefined) io.stderr(`hadolint: the configuration file ${named} does not exist\n`);
  return {};
}

function readLayer(io: CommandIo, path: string, text: string): SettingsLayer {
  try {
    const reader = new ConfigReader(parse(text) as unknown);
    const layer = reader.layer();
    for (const error of reader.errors) io.stderr(`hadolint: ${path}: ${error}\n`);
    return layer;
  } catch (error) {
    io.stderr(`hadolint: ${path} is not valid and is left out: ${messageOf(error)}\n`);
    return {};
  }
}

const KEYS = new Set([
  'failure-threshold', 'format', 'ignored', 'override', 'trustedRegistries', 'label-schema', 'strict-labels', 'no-fail',
  'no-color', 'disable-ignore-pragma', 'rules', 'verbose', 'output-format', 'trusted-registries',
]); // prettier-ignore

class ConfigReader {
  readonly errors: string[] = [];
  readonly #root: Readonly<Record<string, unknown>>;

  constructor(root: unknown) {
    this.#root = isRecord(root) ? root : {};
    if (root !== null && !isRecord(root)) this.errors.push('the file is not a mapping');
    for (const key of Object.keys(this.#root)) {
      if (!KEYS.has(key)) this.errors.push(`the key ${key} is not known`);
    }
  }

  layer(): SettingsLayer {
    // Releases differ in what they call two of the keys.
    const format = this.#text('format') ?? this.#text('output-format');
    if (format !== undefined && !isFormat(format)) this.errors.push(`unknown format ${format}`);
    return {
      ignored: this.#list(this.#root['ignored'], 'ignored'),
      overrides: this.#overrides(),
      trustedRegistries: ['trustedRegistries', 'trusted-registries'].flatMap((key) =>
        this.#list(this.#root[key], key),
      ),
      labelSchema: this.#labels(),
      strictLabels: this.#flag('strict-labels'),
      disableIgnorePragma: this.#flag('disable-ignore-pragma'),
      noFail: this.#flag('no-fail'),
      format: format !== undefined && isFormat(format) ? format : undefined,
      failureThreshold: this.#threshold(),
      ruleSet: this.#ruleSet(),
    };
  }

  #text(key: string): string | undefined {
    const value = this.#root[key];
    if (value === undefined || typeof value === 'string') return value;
    this.errors.push(`${key} is not a text`);
    return undefined;
  }

  #flag(key: string): boolean | undefined {
    const value = this.#root[key];
    if (value === undefined || typeof value === 'boolean') return value;
    this.errors.push(`${key} is neither true nor false`);
    return undefined;
  }

  #threshold(): LintSeverity | undefined {
    const text = this.#text('failure-threshold');
    const severity = toSeverity(text);
    if (text !== undefined && severity === undefined) this.errors.push(`unknown failure-threshold ${text}`);
    return severity;
  }

  #ruleSet(): RuleSetName | undefined {
    const text = this.#text('rules');
    const set = toRuleSet(text);
    if (text !== undefined && set === undefined) this.errors.push(`unknown rules ${text}`);
    return set;
  }

  #list(value: unknown, key: string): readonly string[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value.map(String);
    this.errors.push(`${key} is not a list`);
    return [];
  }

  #overrides(): Readonly<Record<string, LintSeverity>> {
    const override = this.#root['override'];
    if (!isRecord(override)) return {};
    const pairs = Object.entries(override).flatMap(([name, codes]) => {
      const severity = toSeverity(name);
      if (severity === undefined) this.errors.push(`override has no severity ${name}`);
      return severity === undefined
        ? []
        : this.#list(codes, `override.${name}`).map((code) => [code, severity] as const);
    });
    return Object.fromEntries(pairs);
  }

  #labels(): Readonly<Record<string, LabelType>> {
    const schema = this.#root['label-schema'];
    if (!isRecord(schema)) return {};
    const pairs = Object.entries(schema).flatMap(([name, written]) => {
      const type = typeof written === 'string' ? toLabelType(written) : undefined;
      if (type === undefined) this.errors.push(`label-schema: ${name} has no type that is known`);
      return type === undefined ? [] : [[name, type] as const];
    });
    return Object.fromEntries(pairs);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
