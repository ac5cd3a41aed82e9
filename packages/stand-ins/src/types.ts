import type { Image } from '@updraft/oci';

/** An image that can be made here in place of one that cannot be pulled. */
export interface StandIn {
  /** The complete reference that was asked for. */
  readonly reference: string;
  /** What it is made of, for the user; undefined for tools that are ours anyway and say so themselves. */
  readonly note: string;
  /** Made even where the named image could be pulled. */
  readonly always: boolean;
  /** Its entry points ask the daemon through a socket. */
  readonly tools: boolean;
  readonly recipe: Recipe;
}

/** How it is made: from nothing by mmdebstrap, or by a Dockerfile over a folder that `prepare` fills. */
export type Recipe =
  | { readonly kind: 'debian'; readonly suite: string }
  | {
      readonly kind: 'dockerfile';
      /** Names the recipe in the store, with a version that changes when the recipe does. */
      readonly name: string;
      readonly dockerfile: string;
      readonly files?: Readonly<Record<string, string>>;
      /** A bundled entry point that is copied in: when it changes, the image is made anew. */
      readonly tool?: string;
      /** Fetches what the Dockerfile copies into the context folder. */
      readonly prepare?: (context: PrepareContext) => Promise<Readonly<Record<string, string>>>;
    };

export interface PrepareContext {
  readonly dir: string;
  /** Folder of the bundled tool entry points. */
  readonly toolsDir: string;
  readonly onLog: (line: string) => void;
}

export interface StandIns {
  /** By complete reference (`docker.io/library/node:24`); undefined when there is none for it. */
  find(reference: string): StandIn | undefined;
  /** From the store when it was made before. @throws StandInFault */
  make(standIn: StandIn, onLog: (line: string) => void): Promise<Image>;
  /** The repositories there are stand-ins for. */
  known(): readonly string[];
}
