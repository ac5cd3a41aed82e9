/** Where something stands in the user's files. Line and column start at 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The files that included `file`, outermost first; empty for the configuration file itself. */
  readonly includedFrom?: readonly string[];
}

/** The user's file is wrong (`error`) or asks for what can't be done here (`warning`). All are collected, none is thrown. */
export interface Problem extends Partial<Position> {
  /** Stable, kebab-case: `unknown-keyword`, `missing-need`, `yaml-syntax`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** One sentence that names the job and the keyword. */
  readonly message: string;
  /** The nearest valid word, when one is near. */
  readonly suggestion?: string;
}

export type When = 'on_success' | 'on_failure' | 'always' | 'manual' | 'delayed';

/** false, true, or the exit codes that are allowed. */
export type AllowFailure = boolean | { readonly exitCodes: readonly number[] };

export interface ImageRequest {
  /** As written, variables still in it: the runner expands it with the job's variables. */
  readonly name: string;
  /** Absent: the image's own. */
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly pullPolicy?: readonly ('always' | 'if-not-present' | 'never')[];
}

export interface ServiceRequest extends ImageRequest {
  readonly aliases: readonly string[];
  readonly command?: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

export interface Need {
  readonly job: string;
  readonly artifacts: boolean;
  readonly optional: boolean;
}

export interface Artifacts {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly untracked: boolean;
  readonly name: string | undefined;
  readonly when: 'on_success' | 'on_failure' | 'always';
  readonly expireInSeconds: number | undefined;
  readonly exposeAs: string | undefined;
  /** report type (`junit`, `dotenv`, `coverage_report`, …) -> paths. */
  readonly reports: Readonly<Record<string, readonly string[]>>;
}

export interface Cache {
  readonly key: string | { readonly files: readonly string[]; readonly prefix: string | undefined };
  readonly fallbackKeys: readonly string[];
  readonly paths: readonly string[];
  readonly untracked: boolean;
  readonly policy: string;
  readonly when: 'on_success' | 'on_failure' | 'always';
}

export interface EnvironmentRequest {
  /** Expanded. */
  readonly name: string;
  readonly slug: string;
  /** As written: expanded once more when the job has ended, with its dotenv report. */
  readonly url: string | undefined;
  readonly action: 'start' | 'prepare' | 'stop' | 'verify' | 'access';
  readonly onStop: string | undefined;
  readonly autoStopInSeconds: number | undefined;
  readonly tier: 'production' | 'staging' | 'testing' | 'development' | 'other';
}

export interface Retry {
  readonly max: number;
  readonly when: readonly string[];
  readonly exitCodes: readonly number[];
}

/** A variable with where it came from; `raw` values are never expanded (`expand: false`). */
export interface Variable {
  readonly key: string;
  readonly value: string;
  readonly raw?: boolean;
  readonly masked?: boolean;
  readonly file?: boolean;
  readonly source:
    | 'pipeline'
    | 'project'
    | 'dotenv'
    | 'job'
    | 'rule'
    | 'matrix'
    | 'workflow'
    | 'global'
    | 'predefined';
}

/** One job of a created pipeline: everything decided, nothing left of extends, default, rules or matrix. Frozen. */
export interface Job {
  /** `test 1/3` and `build: [a, b]` for instances of a parallel job. */
  readonly name: string;
  readonly stage: string;
  readonly position: Position;
  readonly when: When;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: AllowFailure;
  /** undefined: wait for all earlier stages. []: start at once. */
  readonly needs: readonly Need[] | undefined;
  /** Jobs whose artifacts come in; undefined: all of earlier stages (or of needs). */
  readonly dependencies: readonly string[] | undefined;
  readonly image: ImageRequest | undefined;
  readonly services: readonly ServiceRequest[];
  readonly beforeScript: readonly string[];
  readonly script: readonly string[];
  readonly afterScript: readonly string[];
  /** Everything but `predefined`, strongest last, unexpanded. */
  readonly variables: readonly Variable[];
  readonly artifacts: Artifacts | undefined;
  readonly caches: readonly Cache[];
  readonly environment: EnvironmentRequest | undefined;
  readonly retry: Retry;
  readonly timeoutSeconds: number | undefined;
  readonly interruptible: boolean;
  readonly resourceGroup: string | undefined;
  readonly tags: readonly string[];
  /** The regular expression between the slashes (RE2), read over the job's log. */
  readonly coverage: string | undefined;
  readonly manualConfirmation: string | undefined;
}

/** What a commit gets. `stages` holds only those with jobs, in order. */
export interface Pipeline {
  readonly name: string | undefined;
  readonly stages: readonly string[];
  readonly jobs: readonly Job[];
  /** Pipeline-level variables that every job sees (predefined ones of phase P and L that are equal for all jobs). */
  readonly variables: readonly Variable[];
}

/** The files of one commit, as the language needs them. Paths are relative to the repository's root, `/` between. */
export interface CommitFiles {
  read(path: string): string | undefined;
  list(): readonly string[];
}

/** Facts about the commit and how the pipeline was asked for; `git` finds out most of them. */
export interface CommitFacts {
  readonly sha: string;
  readonly beforeSha: string;
  /** Exactly one of branch and tag is set. */
  readonly branch: string | undefined;
  readonly tag: string | undefined;
  readonly tagMessage: string | undefined;
  readonly message: string;
  readonly author: string;
  /** ISO 8601 with offset. */
  readonly timestamp: string;
  readonly defaultBranch: string;
  readonly projectName: string;
  /** `group/name`; `local/<folder>` without a remote. */
  readonly projectPath: string;
  readonly projectUrl: string | undefined;
  readonly userName: string;
  readonly userEmail: string;
  /** Paths changed since `beforeSha`; undefined when there is nothing to compare with (GitLab: `changes` is then true). */
  readonly changedPaths: readonly string[] | undefined;
}

export interface PipelineRequest {
  readonly facts: CommitFacts;
  readonly files: CommitFiles;
  /** Default: `.gitlab-ci.yml`, else `.gitlab/gitlab-ci.yml`. */
  readonly configPath?: string;
  /** CI_PIPELINE_SOURCE; default `push`. */
  readonly source?: string;
  /** Of the person who started the pipeline (`--variable`). Strongest. */
  readonly pipelineVariables?: readonly Variable[];
  /** Settings of the project (CI/CD variables): the platform's registry and cluster credentials, KUBE_DOMAIN, the user's own. */
  readonly projectVariables?: readonly Variable[];
  /** ISO 8601; for CI_PIPELINE_CREATED_AT. */
  readonly createdAt?: string;
}

/** `pipeline` is there exactly when no problem is an error and at least one job is in it. */
export interface PipelineResult {
  readonly pipeline: Pipeline | undefined;
  readonly problems: readonly Problem[];
  /** workflow:rules or every job's rules said no: not an error, but nothing runs. Says which. */
  readonly emptyBecause: string | undefined;
}
