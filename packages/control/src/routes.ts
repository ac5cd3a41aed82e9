/**
 * The daemon's API: HTTP over a Unix socket, JSON bodies. A route's types are its contract; `path` parameters stand in
 * braces. Streams answer `application/x-ndjson`: one JSON value a line.
 */
import type { EnvironmentView, PlatformView, RunView } from './views.ts';
import type { RunEvent } from './events.ts';

export interface StartRun {
  /** Absolute path inside a git work tree. */
  readonly projectDir: string;
  readonly ref?: string;
  readonly tag?: string;
  readonly source?: string;
  /** The branch that a merge-request pipeline would be merged into. */
  readonly target?: string;
  /** Without the work tree's changes. */
  readonly committed?: boolean;
  /** What `rules:changes` compares with. */
  readonly compareTo?: string;
  /** Path of the configuration file in the repository. */
  readonly configPath?: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Of the configuration's own `spec:inputs`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** What fetching includes goes by: SSH_AUTH_SOCK and proxies, as the user has them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Only these jobs and what they need; empty: the whole pipeline. Manual jobs named here are started. */
  readonly jobs: readonly string[];
  /** false: what the named jobs need is not run again, its artifacts come from the last run that has them. */
  readonly needs?: boolean;
  /** false: earlier runs of the ref go on whatever `workflow:auto_cancel` says. */
  readonly autoCancel?: boolean;
  readonly executor?: 'host' | 'runc' | 'docker' | 'kubernetes';
  /** Another cluster than the embedded one: a kubeconfig by its absolute path, and a context of it. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** For the kubeconfig's exec plugins: the user's environment. */
  readonly clusterEnvironment?: Readonly<Record<string, string>>;
  /** End the run when the client goes away (Ctrl-C). */
  readonly attached: boolean;
}

export interface PlayJobs {
  readonly jobs: readonly string[];
  /** For these jobs alone. */
  readonly variables: Readonly<Record<string, string>>;
  readonly attached: boolean;
}

export interface RetryJobs {
  readonly jobs: readonly string[];
  readonly attached: boolean;
}

export interface CancelRun {
  /** Only these; empty: all. */
  readonly jobs: readonly string[];
  /** Without waiting for scripts to end and `after_script` to run. */
  readonly force: boolean;
}

export interface Prune {
  /** So many of the newest runs keep logs, artifacts and the possibility to go on. */
  readonly keepRuns: number;
  /** The caches of all projects, too. */
  readonly caches: boolean;
}

export interface Pruned {
  readonly runs: number;
  readonly bytes: number;
}

export interface BuildImage {
  readonly context: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly tags: readonly string[];
  /** A file, or the value itself. */
  readonly secrets: readonly { readonly id: string; readonly source?: string; readonly value?: string }[];
  readonly buildContexts: Readonly<Record<string, string>>;
  readonly ociLayout?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: string;
  /** Sockets of SSH agents by id. */
  readonly ssh?: Readonly<Record<string, string>>;
  /** `network.host`, `security.insecure`. */
  readonly allow?: readonly string[];
  readonly noCache?: boolean;
  readonly timeoutMs?: number;
  /** Bounds of each command. */
  readonly memoryBytes?: number;
  readonly processes?: number;
  /** Attaches a list of what is installed in the image, in this format. */
  readonly sbom?: 'spdx' | 'cyclonedx';
  /** Attaches a statement of what the image was made from, and how. */
  readonly provenance?: boolean;
}

/** Paths are absolute. */
export interface ImageAction {
  readonly action:
    | 'pull'
    | 'push'
    | 'inspect'
    | 'export'
    | 'save'
    | 'load'
    | 'tag'
    | 'rm'
    | 'prune'
    | 'login'
    | 'logout';
  /** An image; for login and logout a registry; nothing for load and prune. */
  readonly reference: string;
  /** tag: the new name; push: the name it gets there. */
  readonly target?: string;
  /** export: the folder to write. */
  readonly ociLayout?: string;
  /** save: the archive to write; load: an archive or the folder of an OCI layout. */
  readonly file?: string;
  readonly format?: 'docker' | 'oci';
  /** pull: `linux/arm64`. */
  readonly platform?: string;
  /** The registry speaks plain HTTP. */
  readonly insecure?: boolean;
  readonly username?: string;
  readonly password?: string;
  /** prune: only what was of no use for so long. */
  readonly unusedForMs?: number;
  /** prune: only as much as brings the store down to this. */
  readonly maxBytes?: number;
  /** prune: what builds made and may use again, too. */
  readonly buildCache?: boolean;
}

/** How far an action is, once it takes long; then how it ended. */
export type ImageEvent =
  | {
      readonly type: 'progress';
      readonly text: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly next?: string };

export type BuildEvent =
  | { readonly type: 'log'; readonly text: string }
  | {
      readonly type: 'built';
      readonly digest: string;
      readonly sizeBytes: number;
      readonly cachedSteps: number;
      readonly steps: number;
    }
  | { readonly type: 'failed'; readonly message: string; readonly file?: string; readonly line?: number };

export interface ImageView {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly createdAt: string | undefined;
}

/** What a gate's command line prints, and how it ends. */
export type ToolEvent =
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'exit'; readonly code: number };

/** method and path -> what goes in and what comes out. `stream` marks NDJSON answers. */
export interface Routes {
  'GET /v1/status': { request: undefined; response: PlatformView };
  'POST /v1/shutdown': { request: { purge: boolean }; response: Record<string, never> };
  'POST /v1/runs': { request: StartRun; response: RunEvent; stream: true };
  'GET /v1/runs': { request: undefined; response: readonly RunView[] };
  'GET /v1/runs/{id}': { request: undefined; response: RunView };
  /** Starts manual and delayed jobs; a run that is over is opened again. */
  'POST /v1/runs/{id}/play': { request: PlayJobs; response: RunEvent; stream: true };
  /** Runs jobs again, without names all that did not pass; a run that is over is opened again. */
  'POST /v1/runs/{id}/retry': { request: RetryJobs; response: RunEvent; stream: true };
  'POST /v1/runs/{id}/cancel': { request: CancelRun | undefined; response: Record<string, never> };
  'GET /v1/runs/{id}/jobs/{job}/log': { request: undefined; response: { text: string } };
  'POST /v1/runs/{id}/jobs/{job}/artifacts': {
    request: { readonly unpackTo?: string };
    response: { readonly files: readonly string[] };
  };
  /** Removes what is no longer needed of runs. */
  'POST /v1/prune': { request: Prune; response: Pruned };
  'GET /v1/environments': { request: undefined; response: readonly EnvironmentView[] };
  'POST /v1/environments/stop': {
    request: { name: string; projectDir: string };
    response: RunEvent;
    stream: true;
  };
  'POST /v1/environments/rollback': {
    request: { name: string; projectDir: string };
    response: RunEvent;
    stream: true;
  };
  'GET /v1/kubeconfig': { request: undefined; response: { kubeconfig: string } };
  'GET /v1/images': { request: undefined; response: readonly ImageView[] };
  'POST /v1/images/action': { request: ImageAction; response: ImageEvent; stream: true };
  'POST /v1/scan': {
    request: { readonly argv: readonly string[]; readonly cwd: string; readonly advisories?: string };
    response: ToolEvent;
    stream: true;
  };
  'POST /v1/images/build': { request: BuildImage; response: BuildEvent; stream: true };
}

export type RouteName = keyof Routes;
