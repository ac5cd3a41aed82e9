import type { LintSeverity } from './finding.ts';

export type LabelType = 'text' | 'email' | 'hash' | 'rfc3339' | 'semver' | 'spdx' | 'url';

/** Label name -> what its value has to be. */
export type LabelSchema = Readonly<Record<string, LabelType>>;

export const LABEL_TYPES: readonly LabelType[] = [
  'text',
  'email',
  'hash',
  'rfc3339',
  'semver',
  'spdx',
  'url',
];

/** Which rules are on: those of Hadolint 2.12; those of its newest release too; ours too. */
export const RULE_SETS = ['compatible', 'newest', 'all'] as const;

export type RuleSetName = (typeof RULE_SETS)[number];

/** What a user can set, however it was said (file, environment, flags). */
export interface LintSettings {
  /** Codes whose findings are dropped. */
  readonly ignored: readonly string[];
  /** Code -> severity instead of the rule's own. */
  readonly overrides: Readonly<Record<string, LintSeverity>>;
  /** `host` or `*.host`; empty: every registry is fine. */
  readonly trustedRegistries: readonly string[];
  readonly labelSchema: LabelSchema;
  readonly strictLabels: boolean;
  readonly disableIgnorePragma: boolean;
  /** A rule that is off all the same comes on when `overrides` gives it a severity. */
  readonly ruleSet: RuleSetName;
}

export const DEFAULT_SETTINGS: LintSettings = {
  ignored: [],
  overrides: {},
  trustedRegistries: [],
  labelSchema: {},
  strictLabels: false,
  disableIgnorePragma: false,
  ruleSet: 'compatible',
};
