import type { AllowFailure, Position, Problem, Question, Variable, When } from '../pipeline.ts';

/**
 * Why a commit gets a job or not, with everything that had a say in it. Plain data, frozen; values of masked
 * variables are not in it.
 */
export interface Explanation {
  /** The name as asked for: a job's, or that of one instance of a parallel job. */
  readonly asked: string;
  /**
   * `partly`: some instances of a parallel job are in, others are not. `hidden`: a template. `unknown`: there is no
   * such job. `unreadable`: the problems keep the job from being read.
   */
  readonly verdict: 'in' | 'out' | 'partly' | 'hidden' | 'unknown' | 'unreadable';
  /** One sentence. */
  readonly reason: string;
  /** The nearest name there is. */
  readonly suggestion: string | undefined;
  /** For a job that is in: why there is no pipeline all the same. */
  readonly noPipeline: string | undefined;
  readonly position: Position | undefined;
  readonly stage: string | undefined;
  /** Jobs and templates it extends, nearest first, each with the one that names it. */
  readonly parents: readonly Parent[];
  /** Of a template: the jobs that extend it. */
  readonly usedBy: readonly string[];
  /** undefined: the configuration has no `workflow:rules`, or could not be read so far. */
  readonly workflow: RulesTrace | undefined;
  readonly keys: readonly KeyOrigin[];
  readonly instances: readonly InstanceExplanation[];
  readonly problems: readonly Problem[];
  /** As in `PipelineResult`: answer these and ask again. */
  readonly questions?: readonly Question[];
}

export interface Parent {
  readonly name: string;
  /** The job that names it. */
  readonly of: string;
  readonly position: Position;
}

/** Where a value stands among those that were written for one key. */
export interface Origin {
  readonly from: 'own' | 'extends' | 'default';
  /** The chain of `extends` that led there, nearest first. */
  readonly via: readonly string[];
  /** The job or template whose YAML anchor brought it in. */
  readonly anchorIn: string | undefined;
  readonly position: Position;
}

export interface KeyOrigin extends Origin {
  readonly key: string;
  /** Values that this one replaced or was merged over, strongest first. */
  readonly over: readonly Origin[];
  /** The `!reference`s in it and where each leads. */
  readonly references: readonly ReferenceOrigin[];
  /** For a map that was put together from several places: its keys. */
  readonly parts: readonly KeyOrigin[];
}

export interface ReferenceOrigin {
  readonly path: readonly string[];
  readonly position: Position;
  readonly leadsTo: Position | undefined;
}

/** A list of rules, asked one after the other until one holds. */
export interface RulesTrace {
  /** `none`: no rule holds. `never`: the rule that holds says `when: never`. */
  readonly outcome: 'holds' | 'none' | 'never';
  readonly rules: readonly RuleTrace[];
}

export interface RuleTrace {
  /** From 1. */
  readonly number: number;
  readonly position: Position;
  /** undefined: an earlier rule held, this one was not asked. */
  readonly holds: boolean | undefined;
  readonly condition: ExpressionTrace | undefined;
  readonly changes: PathsTrace | undefined;
  readonly exists: PathsTrace | undefined;
  readonly sets: RuleSettings;
}

/** What a rule says about the job when it holds; only what is written. */
export interface RuleSettings {
  readonly when?: When | 'never';
  readonly startInSeconds?: number;
  readonly allowFailure?: AllowFailure;
  readonly interruptible?: boolean;
  readonly needs?: readonly string[];
  readonly variables?: readonly { readonly key: string; readonly value: string }[];
}

/** An expression or one part of it. */
export interface ExpressionTrace {
  readonly text: string;
  /** undefined: not looked at, because the parts before decided. */
  readonly holds: boolean | undefined;
  /** The sides of `&&` or `||`, a chain of the same operator as one. */
  readonly parts: readonly ExpressionTrace[];
  readonly operator: '&&' | '||' | undefined;
  /** The variables of a part that has no parts. */
  readonly operands: readonly OperandTrace[];
}

export interface OperandTrace {
  readonly name: string;
  /** null: not set, which is not the same as empty. Masked values are replaced. */
  readonly value: string | null;
  readonly from: VariableOrigin | undefined;
}

/** Where a variable's value was written. */
export interface VariableOrigin {
  readonly source: Variable['source'];
  /** Of values in YAML. */
  readonly position: Position | undefined;
  /** Of values from elsewhere: a file's name, `the command line`, `the platform`. */
  readonly place: string | undefined;
}

export interface PathsTrace {
  readonly keyword: 'changes' | 'exists';
  /** As written. */
  readonly patterns: readonly string[];
  readonly regexps: readonly string[];
  readonly compareTo: string | undefined;
  /** undefined: not looked at, because the conditions before it failed. */
  readonly holds: boolean | undefined;
  readonly match: { readonly pattern: string; readonly path: string } | undefined;
  /** How many paths were looked at; undefined: there was nothing to look at, `because` says why. */
  readonly looked: number | undefined;
  /** The first ones of the paths that `changes` looked at. */
  readonly paths: readonly string[];
  readonly because: string | undefined;
}

/** `only` or `except`: its conditions, each with its entries. */
export interface FilterTrace {
  readonly keyword: 'only' | 'except';
  /** undefined: it is not written, but what GitLab assumes then. */
  readonly position: Position | undefined;
  readonly conditions: readonly {
    readonly keyword: 'refs' | 'variables' | 'changes';
    readonly holds: boolean;
    readonly entries: readonly {
      readonly text: string;
      readonly holds: boolean;
      readonly expression: ExpressionTrace | undefined;
    }[];
  }[];
}

export interface InstanceExplanation {
  readonly name: string;
  readonly in: boolean;
  readonly reason: string;
  /** undefined: the job has no rules. */
  readonly rules: RulesTrace | undefined;
  /** Empty for a job with rules. */
  readonly filters: readonly FilterTrace[];
  /** As the pipeline has it; undefined for an instance that is out. */
  readonly result: InstanceResult | undefined;
  readonly needs: readonly NeedTrace[] | undefined;
  readonly variables: readonly VariableTrace[];
}

export interface InstanceResult {
  readonly when: When;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: AllowFailure;
  readonly environment: string | undefined;
}

export interface NeedTrace {
  /** As written. */
  readonly job: string;
  readonly position: Position;
  readonly optional: boolean;
  readonly artifacts: boolean;
  /** The jobs of this pipeline that it means. */
  readonly jobs: readonly string[];
  /** Why it means none: `dropped` an optional one, `left-out` and `missing` are errors, `foreign` is of another pipeline. */
  readonly state: 'met' | 'dropped' | 'left-out' | 'missing' | 'foreign';
  /** Why the needed job is not in the pipeline; of a foreign one, where it is. */
  readonly because: string | undefined;
}

export interface VariableTrace extends VariableOrigin {
  readonly key: string;
  /** As written; masked values are replaced. */
  readonly value: string;
  /** With what it mentions put in. */
  readonly expanded: string;
  readonly masked: boolean;
  /** Weaker values for the same name, strongest first. */
  readonly over: readonly (VariableOrigin & { readonly value: string; readonly via: string | undefined })[];
}
