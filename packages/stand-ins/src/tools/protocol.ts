/** What a tool's entry point sends to the daemon. */
export interface ToolCall {
  readonly argv: readonly string[];
  /** Working directory, in the job. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Standard input, when the command line asks to read it. */
  readonly stdin?: string;
}

/** What comes back, one JSON object a line. */
export type Frame =
  | { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** A file for the entry point to write: it has the job's view of the files, and the job's rights. */
  | { readonly writeTo: string; readonly text: string }
  | { readonly exit: number };
