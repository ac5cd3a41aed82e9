/** What a tool's entry point sends to the daemon. */
export interface ToolCall {
  readonly argv: readonly string[];
  /** Working directory, in the job. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What comes back, one JSON object a line. */
export type Frame =
  | { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly exit: number };
