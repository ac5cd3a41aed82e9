import { isTruthy, splitList } from '../command/flags.ts';
import type { ParsedFlags } from '../command/flags.ts';
import { SEVERITIES } from './finding.ts';
import type { LintSeverity } from './finding.ts';
import { isFormat } from './formats/all.ts';
import type { LintFormat } from './formats/all.ts';
import { LABEL_TYPES, RULE_SETS } from './settings.ts';
import type { LabelSchema, LabelType, LintSettings, RuleSetName } from './settings.ts';

/** One source of settings: environment, file or flags. What it does not say is left open. */
export interface SettingsLayer {
  readonly ignored?: readonly string[];
  readonly overrides?: Readonly<Record<string, LintSeverity>>;
  readonly trustedRegistries?: readonly string[];
  readonly labelSchema?: LabelSchema;
  readonly strictLabels?: boolean | undefined;
  readonly disableIgnorePragma?: boolean | undefined;
  readonly noFail?: boolean | undefined;
  readonly format?: LintFormat | undefined;
  readonly failureThreshold?: LintSeverity | undefined;
  readonly ruleSet?: RuleSetName | undefined;
}

export interface CommandSettings extends LintSettings {
  readonly noFail: boolean;
  readonly format: LintFormat;
  readonly failureThreshold: LintSeverity;
}

/** Lists add up; of single values the last layer that has one wins. */
export function mergeLayers(layers: readonly SettingsLayer[]): CommandSettings {
  const last = <K extends keyof SettingsLayer>(key: K) =>
    layers.findLast((layer) => layer[key] !== undefined)?.[key];
  return {
    ignored: layers.flatMap(({ ignored = [] }) => ignored),
    overrides: Object.assign({}, ...layers.map(({ overrides }) => overrides)),
    trustedRegistries: layers.flatMap(({ trustedRegistries = [] }) => trustedRegistries),
    labelSchema: Object.assign({}, ...layers.map(({ labelSchema }) => labelSchema)),
    strictLabels: last('strictLabels') ?? false,
    disableIgnorePragma: last('disableIgnorePragma') ?? false,
    ruleSet: last('ruleSet') ?? 'compatible',
    noFail: last('noFail') ?? false,
    format: last('format') ?? 'tty',
    failureThreshold: last('failureThreshold') ?? 'info',
  };
}

const OVERRIDABLE = ['error', 'warning', 'info', 'style'] as const;

export function environmentLayer(env: Readonly<Record<string, string | undefined>>): SettingsLayer {
  const list = (name: string) => splitList(env[name] ?? '');
  const format = env['HADOLINT_FORMAT'];
  return {
    ignored: list('HADOLINT_IGNORE'),
    overrides: overridesFrom((severity) => list(`HADOLINT_OVERRIDE_${severity.toUpperCase()}`)),
    trustedRegistries: [...list('HADOLINT_TRUSTED_REGISTRIES'), ...list('HADOLINT_ALLOWED_REGISTRIES')],
    labelSchema: labelSchemaFrom(list('HADOLINT_REQUIRE_LABELS')).schema,
    strictLabels: isTruthy(env['HADOLINT_STRICT_LABELS']),
    disableIgnorePragma: isTruthy(env['HADOLINT_DISABLE_IGNORE_PRAGMA']),
    noFail: isTruthy(env['HADOLINT_NOFAIL']),
    format: format !== undefined && isFormat(format) ? format : undefined,
    failureThreshold: toSeverity(env['HADOLINT_FAILURE_THRESHOLD']),
    ruleSet: toRuleSet(env['HADOLINT_RULES']),
  };
}

/** Settings that the flags give, and what is wrong with them. */
export function flagLayer({ values }: ParsedFlags): { layer: SettingsLayer; errors: readonly string[] } {
  const list = (name: string) => values.get(name) ?? [];
  const isOn = (name: string) => (values.has(name) ? values.get(name)?.[0] !== 'false' : undefined);
  const { schema, errors } = labelSchemaFrom(list('require-label'));
  const format = values.get('format')?.[0];
  const threshold = values.get('failure-threshold')?.[0];
  const rules = values.get('rules')?.[0];
  const layer: SettingsLayer = {
    ignored: list('ignore'),
    overrides: overridesFrom(list),
    trustedRegistries: list('trusted-registry'),
    labelSchema: schema,
    strictLabels: isOn('strict-labels'),
    disableIgnorePragma: isOn('disable-ignore-pragma'),
    noFail: isOn('no-fail'),
    format: format !== undefined && isFormat(format) ? format : undefined,
    failureThreshold: toSeverity(threshold),
    ruleSet: toRuleSet(rules),
  };
  const isBadSet = rules !== undefined && layer.ruleSet === undefined;
  const setErrors = isBadSet ? [`--rules knows ${RULE_SETS.join(', ')}, not ${rules}`] : [];
  const formatErrors = format !== undefined && !isFormat(format) ? [`unknown format ${format}`] : [];
  const isBadThreshold = threshold !== undefined && layer.failureThreshold === undefined;
  const thresholdErrors = isBadThreshold ? [`unknown failure threshold ${threshold}`] : [];
  return { layer, errors: [...errors, ...formatErrors, ...thresholdErrors, ...setErrors] };
}

/** `none` is another name for `ignore`. */
export function toSeverity(text: string | undefined): LintSeverity | undefined {
  const name = text?.trim().toLowerCase() === 'none' ? 'ignore' : text?.trim().toLowerCase();
  return SEVERITIES.find((severity) => severity === name);
}

export function toRuleSet(text: string | undefined): RuleSetName | undefined {
  return RULE_SETS.find((name) => name === text?.trim().toLowerCase());
}

export function toLabelType(text: string): LabelType | undefined {
  const name = text.trim().toLowerCase();
  // The original also reads these two.
  if (name === 'rawtext' || name === '') return 'text';
  return LABEL_TYPES.find((type) => type === name);
}

function overridesFrom(
  codesOf: (severity: string) => readonly string[],
): Readonly<Record<string, LintSeverity>> {
  const pairs = OVERRIDABLE.flatMap((severity) => codesOf(severity).map((code) => [code, severity] as const));
  return Object.fromEntries(pairs);
}

function labelSchemaFrom(pairs: readonly string[]): { schema: LabelSchema; errors: readonly string[] } {
  const schema: Record<string, LabelType> = {};
  const errors: string[] = [];
  for (const pair of pairs) {
    const colon = pair.indexOf(':');
    const type = colon < 0 ? undefined : toLabelType(pair.slice(colon + 1));
    if (type === undefined) errors.push(`a required label is written NAME:TYPE, not ${pair}`);
    else schema[pair.slice(0, colon)] = type;
  }
  return { schema, errors };
}
