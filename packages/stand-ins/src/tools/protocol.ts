/** One line of the answer to a tool's call. */
export type ToolFrame =
  | { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** A file the tool wrote; the content is base64. */
  | { readonly file: string; readonly content: string }
  | { readonly exit: number };

/** What a tool's entry point sends. */
export interface ToolCall {
  readonly argv: readonly string[];
  /** Inside the job's container. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Standard input, when the tool was told to read it. */
  readonly stdin: string | undefined;
}
