import type { Clock, Logger } from '@updraft/kit';
import type { CommitFacts, Job, Pipeline, Variable } from '@updraft/gitlab-ci';
import type { Image } from '@updraft/oci';
import type { Mount, Runtime } from '@updraft/pods';

/** An image as a job gets it. */
export interface ResolvedImage {
  readonly image: Image;
  /** Folders of its layers, top first. */
  readonly layers: readonly string[];
  /** What the user should know: `stand-in for node:24: …`. */
  readonly notes: readonly string[];
  /** It holds tools that ask the daemon for help (kaniko's, hadolint's and trivy's entry points). */
  readonly needsTools: boolean;
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
      readonly credentials: string | undefined;
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
  folder(commit: CommitFacts, projectDir: string, open: boolean): Promise<string>;
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
  /** Jobs at once. */
  readonly slots: number;
  /** Ports of the gateway that a job also finds on its own loopback (see PodSpec). */
  readonly gatewayPorts: readonly number[];
}

/** A pipeline to run, with what it came from. */
export interface RunRequest {
  readonly projectDir: string;
  readonly facts: CommitFacts;
  readonly pipeline: Pipeline;
  readonly source: string;
  /** Manual jobs to start without asking. */
  readonly play: readonly string[];
  /** The platform's and the user's settings; masked ones never reach a log. */
  readonly projectVariables: readonly Variable[];
  /** Every job on this machine, without containers. */
  readonly executor: 'pods' | 'host';
}

export interface JobInput {
  readonly job: Job;
  readonly jobId: number;
  readonly request: RunRequest;
  readonly runId: number;
}
