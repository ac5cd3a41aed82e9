import { parseDockerfile } from '@updraft/dockerfile';
import type { Dockerfile, Problem } from '@updraft/dockerfile';
import { makeContext } from './context.ts';
import type { RuleContext } from './context.ts';
import type { Finding, LintSeverity } from './finding.ts';
import { readPragmas } from './pragmas.ts';
import type { Rule, RuleSet } from './rule.ts';
import { RULES } from './rules/all.ts';
import { shellFindings } from './shellcheck.ts';
import type { ShellCheck } from './shellcheck.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { LintSettings, RuleSetName } from './settings.ts';

/** Problems of the parser that Hadolint has a rule of its own for. */
const RULED_PROBLEMS: readonly Problem['code'][] = ['FROM_MISSING', 'ONBUILD_FORBIDDEN'];

/**
 * What is wrong with a Dockerfile, sorted by line. Pure. When it does not parse there are `DL1000` findings, and
 * the rules still look at the instructions that did. ShellCheck's findings are not among them.
 */
export function lintDockerfile(text: string, settings: Partial<LintSettings> = {}): readonly Finding[] {
  const { context, all } = prepare(text, settings);
  return finish(context.dockerfile, ruleFindings(context, all), all);
}

/** The same with ShellCheck's findings inside RUN. */
export async function lintDockerfileWithShell(
  text: string,
  settings: Partial<LintSettings>,
  shellcheck: ShellCheck,
): Promise<readonly Finding[]> {
  const { context, all } = prepare(text, settings);
  const found = await shellFindings(context, shellcheck);
  return finish(context.dockerfile, [...ruleFindings(context, all), ...overriddenAll(found, all)], all);
}

function prepare(text: string, settings: Partial<LintSettings>): { context: RuleContext; all: LintSettings } {
  const all = { ...DEFAULT_SETTINGS, ...settings };
  return { context: makeContext(parseDockerfile(text), all), all };
}

function ruleFindings(context: RuleContext, settings: LintSettings): Finding[] {
  return RULES.flatMap((rule) => {
    const severity = severityOf(rule, settings);
    if (severity === 'ignore') return [];
    return rule.check(context).map(({ line, message }) => ({
      code: rule.code,
      severity,
      line,
      column: 1,
      message: message ?? rule.title,
    }));
  });
}

function severityOf({ code, severity, set = 'compatible' }: Rule, settings: LintSettings): LintSeverity {
  const isOn = SETS[settings.ruleSet].includes(set);
  return overridden({ code, severity: isOn ? severity : 'ignore' }, settings);
}

const SETS: Readonly<Record<RuleSetName, readonly RuleSet[]>> = {
  compatible: ['compatible'],
  newest: ['compatible', 'newer'],
  all: ['compatible', 'newer', 'own'],
};

function finish(
  dockerfile: Dockerfile,
  found: readonly Finding[],
  settings: LintSettings,
): readonly Finding[] {
  const kept = visible(dockerfile, found, settings);
  return [...parseFindings(dockerfile), ...kept].toSorted(byLineAndCode);
}

function byLineAndCode(a: Finding, b: Finding): number {
  return a.line - b.line || (a.code < b.code ? -1 : Number(a.code > b.code));
}

/** What settings or comments ignore left out. */
function visible(
  dockerfile: Dockerfile,
  found: readonly Finding[],
  settings: LintSettings,
): readonly Finding[] {
  const pragmas = readPragmas(settings.disableIgnorePragma ? [] : dockerfile.comments);
  return found
    .filter(({ code }) => !settings.ignored.includes(code) && !pragmas.global.has(code))
    .filter(({ code, line }) => !(pragmas.byLine.get(line)?.has(code) ?? false));
}

function overriddenAll(found: readonly Finding[], settings: LintSettings): readonly Finding[] {
  return found
    .map((finding) => ({ ...finding, severity: overridden(finding, settings) }))
    .filter(({ severity }) => severity !== 'ignore');
}

function overridden(
  { code, severity }: Pick<Finding, 'code' | 'severity'>,
  { overrides }: LintSettings,
): LintSeverity {
  return Object.hasOwn(overrides, code) ? (overrides[code] ?? severity) : severity;
}

/** Cannot be ignored: a file that does not parse was not checked. */
function parseFindings({ problems }: Dockerfile): readonly Finding[] {
  return problems
    .filter(({ severity, code }) => severity === 'error' && !RULED_PROBLEMS.includes(code))
    .map(({ message, range }) => ({
      code: 'DL1000',
      severity: 'error',
      line: range.start.line,
      column: range.start.column,
      message,
    }));
}
