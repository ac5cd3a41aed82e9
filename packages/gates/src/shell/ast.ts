/** One word as the shell sees it, before expansion. */
export interface Word {
  /** Quotes and escapes taken away; expansions stay as they were written (`$V`, `${V}`, `$(…)`). */
  readonly text: string;
  /** As it was written. */
  readonly raw: string;
  readonly quoted: boolean;
  /** What runs inside it: `$(…)`, backquotes and process substitutions. */
  readonly scripts: readonly ShellScript[];
}

export interface Redirection {
  /** `>`, `2>&1` is operator `>&` with target `1`. */
  readonly operator: string;
  readonly target: Word;
}

export interface Assignment {
  readonly name: string;
  readonly value: Word;
}

export interface SimpleCommand {
  readonly kind: 'simple';
  readonly assignments: readonly Assignment[];
  /** The command's name is the first; empty when there are assignments or redirections only. */
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
}

/** `( )`, `{ }`, if, while, until, for, case, a function: everything that holds lists. */
export interface CompoundCommand {
  readonly kind: 'compound';
  readonly keyword: string;
  readonly bodies: readonly ShellScript[];
  readonly words: readonly Word[];
}

export type ShellCommand = SimpleCommand | CompoundCommand;

export interface Pipeline {
  readonly commands: readonly ShellCommand[];
  /** What separates it from the pipeline before it; undefined for the first. */
  readonly after: string | undefined;
}

/** A list of pipelines. Parsing never fails: what is not understood is skipped and counted in `errors`. */
export interface ShellScript {
  readonly pipelines: readonly Pipeline[];
  readonly errors: readonly string[];
}
