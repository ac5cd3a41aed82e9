import type { Clock, Logger } from '@updraft/kit';
import type { ChildInclude, CommitFacts, Job, Pipeline, Variable } from '@updraft/gitlab-ci';
import type { Image } from '@updraft/oci';
import type { ImageReference, Mount, Runtime } from '@updraft/pods';
import type { CacheLimits } from './job/cache/store.ts';

/** An image as a job gets it. */
export interface ResolvedImage {
  readonly image: Pick<Image, 'config'>;
  /** Folders of its layers, top first. */
  readonly layers: readonly string[];
  /** What the user should know: `stand-in for node:24: …`. */
  readonly notes: readonly string[];
  /** It holds tools that ask the daemon for help (kaniko's, hadolint's and trivy's entry points). */
  readonly needsTools: boolean;
  /** It is pulled where its pod runs: there are no layers, and nothing is known of its config. */
  readonly reference?: ImageReference;
}

export interface ImageSource {
  /**
   * Finds, pulls or makes the image. `onLog` hears what is done meanwhile.
   * @throws Fault when there is neither the image nor a stand-in for it; its message names the image.
   */
  resolve(
    reference: string,
    options: {
      readonly policy: 'always' | 'if-not-present' | 'never';
      /** The job's: DOCKER_AUTH_CONFIG and CI_REGISTRY_* say as whom a registry is asked. */
      readonly variables: Readonly<Record<string, string>>;
      readonly onLog: (text: string) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<ResolvedImage>;
}

/** What a job's tools may see of the machine. */
export interface ToolJob {
  readonly name: string;
  /** Where the job's project folder lies in the job and on the host. */
  readonly projectDir: string;
  readonly hostProjectDir: string;
  /** The container's own files: the folder where its writes land, and its layers, top first. */
  readonly rootUpper: string;
  readonly rootLayers: readonly string[];
  readonly timestampMs: number;
  readonly signal: AbortSignal;
}

/** Opens a door for the tools of one job: a socket's folder to mount and the variables that lead to it. */
export interface ToolHost {
  attach(job: ToolJob): Promise<{
    readonly mounts: readonly Mount[];
    readonly env: Readonly<Record<string, string>>;
    close(): Promise<void>;
  }>;
}

/** Materialises a commit's files, once for each commit; the folder is read-only by contract. */
export interface CheckoutSource {
  /** @param open readable and writable for every user, for images that do not run as root. */
  folder(commit: CommitFacts, projectDir: string, open: boolean, extras?: CheckoutExtras): Promise<string>;
}

/** What a job's files are besides the plain commit. */
export interface CheckoutExtras {
  readonly workTree?: WorkTreeChanges;
  /** The job's: GIT_DEPTH, GIT_SUBMODULE_STRATEGY, GIT_SUBMODULE_DEPTH and GIT_LFS_SKIP_SMUDGE are read. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Hears what is not as GitLab would have it, for the job's log; each time, also of files made before. */
  readonly onNote?: (note: string) => void;
}

/** Uncommitted changes that lie over the commit. */
export interface WorkTreeChanges {
  /** Relative to the project's folder; absent ones were deleted. */
  readonly paths: readonly string[];
  /** Another one for every state of these files. */
  readonly key: string;
}

/** Another cluster than the platform's own. Plain data: kept with runs and environments. */
export interface ClusterRef {
  /** `host:port` of its API server. */
  readonly server: string;
  /** Absolute; absent: the one that this process runs in, or the run's own variables tell how it is reached. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** This process is a pod of it. */
  readonly inCluster?: boolean;
}

/** Clusters beside the platform's own. */
export interface ClusterSource {
  /** What jobs know a cluster by. Asked for each job, as credentials may end within minutes; never kept. */
  variables(cluster: ClusterRef): Promise<readonly Variable[]>;
  /** What runs jobs as its pods. */
  runtime(cluster: ClusterRef): Promise<Runtime>;
  /** Those that were asked for. */
  runtimes(): readonly Runtime[];
}

export interface RunnerConfig {
  /** State: runs, artifacts, caches, environments. On the store's file system. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runtime: Runtime;
  /** For jobs that name no image. */
  readonly hostRuntime: Runtime;
  readonly images: ImageSource;
  readonly tools: ToolHost;
  readonly checkouts: CheckoutSource;
  readonly clusters: ClusterSource;
  readonly children: ChildPipelines;
  /** Default: 5 GB for all caches together, 30 days without use. */
  readonly cacheLimits?: CacheLimits;
  /** Jobs at once, over all runs. */
  readonly slots: number;
  /** Ports of the gateway that a job also finds on its own loopback (see PodSpec). */
  readonly gatewayPorts: readonly number[];
}

/** A child pipeline that a job wants to start. */
export interface ChildRequest {
  readonly parent: RunRequest;
  readonly includes: readonly ChildInclude[];
  /** What the child gets as pipeline variables. */
  readonly variables: readonly Variable[];
  /** A file out of the artifacts of a job of the parent. undefined: there is none. */
  readonly artifact: (job: string, path: string) => Promise<string | undefined>;
  readonly signal: AbortSignal;
}

/** Makes pipelines out of what `trigger:include` names. */
export interface ChildPipelines {
  /** @throws Fault CHILD_INVALID, CHILD_EMPTY: one line says why */
  prepare(child: ChildRequest): Promise<RunRequest>;
}

/** A pipeline to run, with what it came from. Plain data: it is kept, so that the run can be opened again. */
export interface RunRequest {
  readonly projectDir: string;
  readonly facts: CommitFacts;
  readonly pipeline: Pipeline;
  readonly source: string;
  /** Manual jobs to start without asking. */
  readonly play: readonly string[];
  /** The platform's and the user's settings; masked ones never reach a log. */
  readonly projectVariables: readonly Variable[];
  /** Of the person who started it; a child gets them when its trigger forwards them. */
  readonly pipelineVariables?: readonly Variable[];
  /** `host`: every job on this machine, without containers; `kubernetes`: jobs with an image as pods of `cluster`. */
  readonly executor: 'pods' | 'host' | 'kubernetes';
  /** Where its environments are; absent: in the platform's own cluster. */
  readonly cluster?: ClusterRef;
  /** Jobs of the pipeline that are not part of this run; their artifacts come from the last run that has them. */
  readonly omitted?: {
    /** Of the whole pipeline, in order. */
    readonly stages: readonly string[];
    readonly jobs: readonly { readonly name: string; readonly stage: string }[];
  };
  /** Changes of the work tree that are part of this run; absent: exactly the commit. */
  readonly workTree?: WorkTreeChanges;
  /** Ends what GitLab's `workflow:auto_cancel` would end of earlier runs of this ref. */
  readonly autoCancel?: boolean;
}

export interface JobInput {
  readonly job: Job;
  readonly jobId: number;
  readonly request: RunRequest;
  readonly runId: number;
}
