/** A place in the text. Lines and columns count from 1; columns are UTF-16 units, as editors count them. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `end` is just after the last character. A range may span lines: continuations and heredocs are inside it. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A piece of the text as it was written: quotes, escapes and `$variables` are still in it, continuations are not. */
export interface Word {
  readonly text: string;
  readonly range: Range;
}

/** `--name` or `--name=value`. The value has lost its quotes; variables in it are not expanded. */
export interface Flag {
  readonly name: string;
  /** undefined for a bare `--name`. */
  readonly value: string | undefined;
  readonly range: Range;
}

/** A comment line of its own. `text` is what follows the `#`, trimmed. Directives are not among the comments. */
export interface Comment {
  readonly text: string;
  readonly range: Range;
}

/** `# name=value` at the top of the file. */
export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  readonly range: Range;
}

/** A here-document that belongs to an instruction. */
export interface Heredoc {
  readonly name: string;
  /** The body as it stands in the file, final newline included. */
  readonly raw: string;
  /** The body with leading tabs taken away when it was `<<-`. */
  readonly content: string;
  /** False when any part of the name was quoted. */
  readonly expand: boolean;
  readonly stripTabs: boolean;
  /** Of the body with its end marker. */
  readonly range: Range;
}

/** What RUN, CMD, ENTRYPOINT, SHELL and HEALTHCHECK CMD run. */
export type CommandLine =
  | { readonly form: 'shell'; readonly text: string; readonly range: Range }
  /** JSON form; the words are decoded. */
  | { readonly form: 'exec'; readonly words: readonly Word[]; readonly range: Range };

/** `name=value` of ENV, LABEL and ARG; `value` is undefined only for `ARG name`. */
export interface NameValue {
  readonly name: Word;
  readonly value: Word | undefined;
}

export type CopySource =
  | { readonly kind: 'path'; readonly word: Word }
  | { readonly kind: 'heredoc'; readonly word: Word; readonly heredoc: Heredoc };

/** What every instruction has. */
export interface InstructionBase {
  readonly keyword: string;
  readonly keywordRange: Range;
  /** From the keyword to the end of the last line, heredocs included. */
  readonly range: Range;
  readonly flags: readonly Flag[];
  /** Everything after keyword and flags, continuations joined, trimmed; heredoc bodies are not in it. */
  readonly text: string;
  readonly textRange: Range;
  readonly heredocs: readonly Heredoc[];
}

export interface FromInstruction extends InstructionBase {
  readonly keyword: 'FROM';
  readonly image: Word;
  readonly stageName: Word | undefined;
}
export interface RunInstruction extends InstructionBase {
  readonly keyword: 'RUN';
  readonly command: CommandLine;
}
export interface CommandInstruction extends InstructionBase {
  readonly keyword: 'CMD' | 'ENTRYPOINT';
  /** An empty exec form (`CMD []`) takes the base image's away. */
  readonly command: CommandLine;
}
export interface ShellInstruction extends InstructionBase {
  readonly keyword: 'SHELL';
  readonly words: readonly Word[];
}
export interface PairsInstruction extends InstructionBase {
  readonly keyword: 'ENV' | 'LABEL';
  readonly pairs: readonly NameValue[];
  /** `ENV name value`: one pair, no `=`. */
  readonly legacy: boolean;
}
export interface ArgInstruction extends InstructionBase {
  readonly keyword: 'ARG';
  readonly pairs: readonly NameValue[];
}
export interface CopyInstruction extends InstructionBase {
  readonly keyword: 'COPY' | 'ADD';
  readonly sources: readonly CopySource[];
  readonly target: Word;
}
export interface ListInstruction extends InstructionBase {
  readonly keyword: 'EXPOSE' | 'VOLUME';
  readonly words: readonly Word[];
}
export interface TextInstruction extends InstructionBase {
  readonly keyword: 'MAINTAINER' | 'USER' | 'WORKDIR' | 'STOPSIGNAL';
  readonly value: Word;
}
export interface OnbuildInstruction extends InstructionBase {
  readonly keyword: 'ONBUILD';
  readonly instruction: Instruction;
}
export interface HealthcheckInstruction extends InstructionBase {
  readonly keyword: 'HEALTHCHECK';
  /** undefined: `HEALTHCHECK NONE`. */
  readonly command: CommandLine | undefined;
}

export type Instruction =
  | FromInstruction
  | RunInstruction
  | CommandInstruction
  | ShellInstruction
  | PairsInstruction
  | ArgInstruction
  | CopyInstruction
  | ListInstruction
  | TextInstruction
  | OnbuildInstruction
  | HealthcheckInstruction;

/** A stage: its FROM and what follows it up to the next FROM. */
export interface Stage {
  /** From 0. */
  readonly index: number;
  /** Lower case; undefined for a stage without `AS`. */
  readonly name: string | undefined;
  readonly from: FromInstruction;
  /** Without the FROM. */
  readonly instructions: readonly Instruction[];
}

/** What is wrong with the file. All are collected; an instruction that has an error is left out of the stages. */
export interface Problem {
  /** Stable, SCREAMING_SNAKE_CASE. */
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly range: Range;
}

export type ProblemCode =
  | 'ARGUMENT_MISSING'
  | 'ARGUMENT_UNEXPECTED'
  | 'DIRECTIVE_INVALID'
  | 'EMPTY_CONTINUATION'
  | 'FILE_EMPTY'
  | 'FLAG_INVALID'
  | 'FLAG_UNKNOWN'
  | 'FROM_MISSING'
  | 'HEREDOC_UNTERMINATED'
  | 'INSTRUCTION_UNKNOWN'
  | 'JSON_REQUIRED'
  | 'NAME_INVALID'
  | 'ONBUILD_FORBIDDEN'
  | 'STAGE_NAME_INVALID';

/** A parsed Dockerfile. `instructions` is all of them in order; `globalArgs` those before the first FROM. */
export interface Dockerfile {
  readonly file: string;
  readonly escape: '\\' | '`';
  readonly directives: readonly Directive[];
  readonly comments: readonly Comment[];
  readonly instructions: readonly Instruction[];
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly problems: readonly Problem[];
  /** The text's lines without their ends; `lines[0]` is line 1. */
  readonly lines: readonly string[];
}
