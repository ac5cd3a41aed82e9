import type { ClientOptions, Digest, DiffId, Image, ImageStore } from '@updraft/oci';
import type { Runtime } from '@updraft/pods';
import type { Clock, Logger } from '@updraft/kit';

/** Where a name in FROM or `--from` leads. The daemon answers from its store, from registries and from stand-ins. */
export interface ImageSource {
  /**
   * The image of a reference, in the builder's store. `note` is shown in the log (such as "stand-in for …"). `platform` is
   * what `FROM --platform` asks for; an image for another one is told in the log.
   * A fault becomes a failed build that names the line that asked.
   */
  resolve(reference: string, options: ResolveOptions): Promise<{ image: Image; note?: string }>;
}

export interface ResolveOptions {
  readonly signal?: AbortSignal;
  readonly onLog: (line: string) => void;
  readonly platform?: string;
  /** The build's own way to registries, see BuildRequest. */
  readonly access?: BuildRequest['access'];
}

/** What a build knows of a registry beyond what the machine knows. */
export type RegistryAccess = Pick<
  ClientOptions,
  'credentials' | 'insecure' | 'skipTlsVerify' | 'ca' | 'mirrors' | 'mirrorsOnly'
>;

export interface BuilderOptions {
  readonly store: ImageStore;
  readonly runtime: Runtime;
  readonly images: ImageSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The builder's own folder: step cache, file digests, cache mounts. */
  readonly dir: string;
  /** Gets `ADD https://…`; the default is Node's. */
  readonly fetch?: typeof fetch;
}

/** Files that COPY and ADD may take. */
export type BuildContext =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'empty' }
  /** A Git repository, as ADD names one (`https://host/repo.git#ref:folder`); `github.com/owner/repo` too. */
  | {
      readonly kind: 'git';
      readonly url: string;
      readonly folder?: string;
      readonly credentials?: { readonly username: string; readonly password: string };
    }
  /** A tar archive, compressed or not: a file of this machine, or an `https://` URL. */
  | { readonly kind: 'archive'; readonly path: string; readonly folder?: string };

/** `--build-context name=…`: takes the place of an image or stage of that name in FROM and `--from`. */
export type NamedContext =
  | BuildContext
  | { readonly kind: 'image'; readonly reference: string }
  /** An OCI image layout on this machine; `tag` when it holds several images. */
  | { readonly kind: 'layout'; readonly path: string; readonly tag?: string };

/** What a command may be granted beyond the default. */
export type Entitlement = 'network.host' | 'security.insecure';

/** Bounds of each command. */
export interface CommandLimits {
  readonly memoryBytes?: number;
  readonly processes?: number;
}

export type Secret =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'value'; readonly value: string };

export interface BuildRequest {
  readonly context: BuildContext;
  /**
   * The context's and the Dockerfile's paths were resolved inside a folder that others may change, such as a job's: no link
   * may be on the way to them any more.
   */
  readonly confined?: boolean;
  /** Path of the Dockerfile: absolute, or below the context. Only a name for messages when the text is given. */
  readonly dockerfile: string;
  readonly dockerfileText?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Name or number of a stage; the default is the last one. */
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** By id, for `RUN --mount=type=secret`. They are part of no layer, no cache key and no log. */
  readonly secrets?: Readonly<Record<string, Secret>>;
  /** Sockets of SSH agents by id, for `RUN --mount=type=ssh` and Git sources over SSH; `default` is the one without a name. */
  readonly ssh?: Readonly<Record<string, string>>;
  /** For `RUN --network=host` and `--security=insecure`, which fail without. */
  readonly entitlements?: readonly Entitlement[];
  readonly limits?: CommandLimits;
  /** After this long the build fails, and everything it runs is killed. */
  readonly timeoutMs?: number;
  readonly buildContexts?: Readonly<Record<string, NamedContext>>;
  /** For the images that FROM and `--from` name. */
  readonly access?: (registry: string) => Promise<RegistryAccess>;
  /** Everything above the base image becomes one layer. */
  readonly singleLayer?: boolean;
  /** `linux/amd64`; the default is this machine's. */
  readonly platform?: string;
  /** False: every step is done again; its results still go into the cache. */
  readonly cache: boolean;
  /** Steps that were done longer ago than this are done again. */
  readonly cacheMaxAgeMs?: number;
  /** Stands as the time of everything made, unless the build argument SOURCE_DATE_EPOCH is given. */
  readonly timestampMs: number;
  /** One line, without its end. */
  readonly onLog: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Names for the result in the store. */
  readonly tags?: readonly string[];
}

/** A place in a Dockerfile, with the line as it stands there. */
export interface BuildPosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly source: string;
}

export interface BuiltImage {
  readonly kind: 'built';
  readonly image: Image;
  /** Instructions that were carried out or taken from the cache, in all stages that were needed. */
  readonly steps: number;
  readonly cachedSteps: number;
  /** What FROM and `--from` asked for by name, and what they got. */
  readonly bases: readonly Base[];
}

export interface Base {
  /** As the Dockerfile has it. */
  readonly reference: string;
  readonly digest: Digest;
}

export interface FailedBuild {
  readonly kind: 'failed';
  /** Complete for a person: where, what, and the line itself, of each thing that is wrong with the file. */
  readonly message: string;
  /** Of the first. */
  readonly position: BuildPosition | undefined;
  /** Of the command of a RUN. */
  readonly exitCode?: number;
}

export type BuildOutcome = BuiltImage | FailedBuild;

/**
 * Makes images from Dockerfiles. Builds may run at once; equal steps are done once. Whatever happens, no mount, pod
 * or scratch folder is left when `build` has settled.
 */
export interface Builder {
  /**
   * A wrong Dockerfile or a failing command is an outcome.
   * @throws the signal's reason when it is aborted
   * @throws Fault DISK_FULL, and others when the machine fails
   */
  build(request: BuildRequest): Promise<BuildOutcome>;
  /** Layers that later builds may find their steps done in; those that no image has either are lost to `prune` unless kept. */
  cachedLayers(): readonly DiffId[];
  /** Takes away what a dead process left. To be called before the first build. */
  sweep(): Promise<void>;
  /** Closes the cache's database. */
  close(): void;
}
