import type { LintSeverity } from './finding.ts';
import type { Command } from '../shell/commands.ts';
import type { LintSettings } from './settings.ts';
import type { Located, Run, RuleContext } from './context.ts';

/** The line a rule objects to; code, severity and title come from the rule. */
export interface Complaint {
  readonly line: number;
  /** Said instead of the rule's title. */
  readonly message?: string;
}

/**
 * Whose rule it is: `compatible`, of Hadolint 2.12, always on; `newer`, of its later releases; `own`, ours. Those two are off
 * unless a user asks for them (see `LintSettings.ruleSet`).
 */
export type RuleSet = 'compatible' | 'newer' | 'own';

/** What a rule is about, for people. The examples are linted by a test: the rule objects to `bad`, and not to `good`. */
export interface RulePage {
  /** What goes wrong, in a sentence or two. */
  readonly why: string;
  readonly bad: string;
  readonly good: string;
  /** Settings without which the rule has nothing to say. */
  readonly settings?: Partial<LintSettings>;
}

/** A rule is data: it can be listed, documented and switched off without being run. */
export interface Rule {
  readonly code: string;
  readonly severity: LintSeverity;
  /** What is wrong and what to do, one sentence. */
  readonly title: string;
  /** Default: `compatible`. */
  readonly set?: RuleSet;
  /** Pure. The order of complaints does not matter. */
  check(context: RuleContext): readonly Complaint[];
}

/** A rule with its page, as it is listed. */
export interface DocumentedRule extends Rule {
  readonly page: RulePage;
}

type Heading = Pick<Rule, 'code' | 'severity' | 'title' | 'set'>;

/** A rule about single instructions, triggers of ONBUILD included. */
export function instructionRule(heading: Heading, isWrong: (located: Located) => boolean): Rule {
  return { ...heading, check: (context) => context.instructions.filter(isWrong).map(toComplaint) };
}

/** A rule about RUN instructions; one complaint for each that is wrong. */
export function runRule(heading: Heading, isWrong: (run: Run) => boolean): Rule {
  return { ...heading, check: (context) => context.runs.filter(isWrong).map(toComplaint) };
}

/** A rule about the commands inside RUN; one complaint for each RUN that has a wrong one. */
export function commandRule(heading: Heading, isWrong: (command: Command) => boolean): Rule {
  return runRule(heading, (run) => run.commands.some(isWrong));
}

export function toComplaint(at: { readonly line: number }): Complaint {
  return { line: at.line };
}
