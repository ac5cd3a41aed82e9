import type { DocumentedRule, Rule } from '../rule.ts';
import { APK_RULES } from './apk.ts';
import { APT_RULES } from './apt.ts';
import { FILE_RULES } from './files.ts';
import { FROM_RULES } from './from.ts';
import { GENERAL_RULES } from './general.ts';
import { LABEL_RULES } from './labels.ts';
import { LANGUAGE_RULES } from './languages.ts';
import { NEWER_RULES } from './newer.ts';
import { OWN_RULES } from './own.ts';
import { PAGES } from './pages.table.ts';
import { RPM_RULES } from './rpm.ts';
import { START_RULES } from './start.ts';

const ALL: readonly Rule[] = [
  ...GENERAL_RULES,
  ...FROM_RULES,
  ...FILE_RULES,
  ...START_RULES,
  ...APT_RULES,
  ...APK_RULES,
  ...RPM_RULES,
  ...LANGUAGE_RULES,
  ...LABEL_RULES,
  ...NEWER_RULES,
  ...OWN_RULES,
];

/** Every rule, by code. DL1000 is the parser's own; a test holds rules and pages together. */
export const RULES: readonly DocumentedRule[] = ALL.map((rule) => ({
  ...rule,
  page: PAGES[rule.code] ?? { why: '', bad: '', good: '' },
})).toSorted((a, b) => (a.code < b.code ? -1 : 1));
