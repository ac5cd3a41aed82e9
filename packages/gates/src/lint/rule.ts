import type { LintSeverity } from './finding.ts';
import type { Command } from '../shell/commands.ts';
import type { Located, Run, RuleContext } from './context.ts';

/** The line a rule objects to; code, severity and title come from the rule. */
export interface Complaint {
  readonly line: number;
  /** Said instead of the rule's title. */
  readonly message?: string;
}

/** A rule is data: it can be listed, documented and switched off without being run. */
export interface Rule {
  readonly code: string;
  readonly severity: LintSeverity;
  /** What is wrong and what to do, one sentence. */
  readonly title: string;
  /** Pure. The order of complaints does not matter. */
  check(context: RuleContext): readonly Complaint[];
}

type Heading = Pick<Rule, 'code' | 'severity' | 'title'>;

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
