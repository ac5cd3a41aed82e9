/** A small file of a recipe's build context. */
export interface RecipeFile {
  readonly text: string;
  readonly mode: number;
}

/** How a stand-in is made. */
export type Recipe =
  /** Assembled from the Debian archive. */
  | { readonly kind: 'debian'; readonly suite: Suite }
  /** A Dockerfile on other stand-ins. `parts` are things that have to be fetched into its context first. */
  | {
      readonly kind: 'dockerfile';
      readonly dockerfile: string;
      readonly files: Readonly<Record<string, RecipeFile>>;
      readonly parts: readonly Part[];
    };

export type Part =
  /** Node itself in `node/`, and the npm that goes with it in `npm/`. */
  | { readonly kind: 'node'; readonly range: string }
  /** The entry point of a tool as `tool.mjs`. */
  | { readonly kind: 'tool'; readonly tool: ToolName };

export type ToolName = 'kaniko' | 'hadolint' | 'trivy';

/** Debian releases that can be assembled. */
export type Suite = 'bookworm' | 'trixie';

export const SUITES: Readonly<Record<Suite, { readonly release: string; readonly releasedMs: number }>> = {
  bookworm: { release: 'Debian 12', releasedMs: Date.UTC(2023, 5, 10) },
  trixie: { release: 'Debian 13', releasedMs: Date.UTC(2025, 7, 9) },
};

export function text(content: string): RecipeFile {
  return { text: content, mode: 0o644 };
}

export function script(content: string): RecipeFile {
  return { text: content, mode: 0o755 };
}
