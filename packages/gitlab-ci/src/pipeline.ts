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

/** `needs` on a job of another pipeline: artifacts of the parent pipeline (`pipeline:`), or of another project. */
export interface ForeignNeed {
  readonly kind: 'pipeline' | 'project';
  /** `needs:pipeline` as written (usually `$PARENT_PIPELINE_ID`), or the project's path. */
  readonly source: string;
  readonly job: string | undefined;
  readonly ref: string | undefined;
  readonly artifacts: boolean;
  readonly optional: boolean;
  readonly position: Position;
}

/** `trigger`: a job that starts a pipeline instead of a script. */
export interface TriggerRequest {
  /** A child pipeline of this project; or a pipeline of another project, which cannot be started here. */
  readonly target:
    | { readonly kind: 'child'; readonly includes: readonly ChildInclude[] }
    | { readonly kind: 'project'; readonly project: string; readonly branch: string | undefined };
  /** Absent: the job succeeds when the pipeline exists. */
  readonly strategy: 'depend' | 'mirror' | undefined;
  readonly forwardYamlVariables: boolean;
  readonly forwardPipelineVariables: boolean;
}

/** One entry of `trigger:include`, variables already in it. */
export interface ChildInclude {
  readonly position: Position;
  /** The keys as GitLab names them: local, artifact + job, project + file + ref, remote, template, component. */
  readonly entry: Readonly<Record<string, string | readonly string[]>>;
  /** `inputs`, as the child's header gets them. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** `release`: made by the job after its script. Texts as written: the runner expands them. */
export interface ReleaseRequest {
  readonly tagName: string;
  readonly description: string;
  readonly name: string | undefined;
  readonly ref: string | undefined;
  readonly tagMessage: string | undefined;
}

/** A secret or identity token that only GitLab's server could fetch: the user must give a variable of this name. */
export interface RequiredSecret {
  readonly name: string;
  /** `vault`, `gcp_secret_manager`, …, or `id_token`. */
  readonly provider: string;
  /** The variable holds the path of a file with the value (`secrets:NAME:file`, true when absent). */
  readonly file: boolean;
}

/** One step of `run`. Steps from elsewhere (`step`, `func`) cannot be run here. */
export interface StepRequest {
  readonly name: string;
  readonly script: string | undefined;
  /** Where a step comes from that is no script, as text for the error. */
  readonly source: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

export interface Artifacts {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly untracked: boolean;
  readonly name: string | undefined;
  readonly when: 'on_success' | 'on_failure' | 'always';
  readonly expireInSeconds: number | undefined;
  readonly exposeAs: string | undefined;
  readonly access?: 'all' | 'developer' | 'maintainer' | 'none';
  /** report type (`junit`, `dotenv`, `coverage_report`, …) -> paths. */
  readonly reports: Readonly<Record<string, readonly string[]>>;
}

export interface Cache {
  /** `files`: a hash of their contents; `commits`: of the last commits that changed them (`key:files_commits`). */
  readonly key:
    | string
    | {
        readonly files: readonly string[];
        readonly prefix: string | undefined;
        readonly by?: 'content' | 'commits';
      };
  /** Shared between protected and other refs. */
  readonly unprotect?: boolean;
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
  /** Only for jobs with such an environment (`*` is any text); absent: for all jobs, also those without. */
  readonly environmentScope?: string;
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
  /** A job with `trigger` has no script. */
  readonly trigger?: TriggerRequest;
  /** Commands of `hooks:pre_get_sources_script`. */
  readonly preGetSources?: readonly string[];
  readonly release?: ReleaseRequest;
  readonly requiredSecrets?: readonly RequiredSecret[];
  /** Instead of a script. */
  readonly steps?: readonly StepRequest[];
  /** Needs on jobs of other pipelines; those of this one are in `needs`. */
  readonly foreignNeeds?: readonly ForeignNeed[];
  /** `pages`: the folder that is published (also among the artifacts' paths) and the prefix, as written. */
  readonly pages?: { readonly publish: string; readonly pathPrefix: string | undefined };
}

/** What a commit gets. `stages` holds only those with jobs, in order. */
export interface Pipeline {
  readonly name: string | undefined;
  readonly stages: readonly string[];
  readonly jobs: readonly Job[];
  /** Pipeline-level variables that every job sees (predefined ones of phase P and L that are equal for all jobs). */
  readonly variables: readonly Variable[];
  readonly autoCancel?: {
    readonly onNewCommit: 'conservative' | 'interruptible' | 'none';
    readonly onJobFailure: 'none' | 'all';
  };
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
  /** Branches and tags that are protected, `*` being any text. Default: the default branch. */
  readonly protectedRefs?: readonly string[];
  /** Of a scheduled pipeline. */
  readonly scheduleDescription?: string;
  /** A merge-request pipeline: `branch` is then the source branch, and CI_COMMIT_BRANCH is not set. */
  readonly mergeRequest?: MergeRequestFacts;
}

/** What can be known of a merge request before it is opened: where from, where to. */
export interface MergeRequestFacts {
  readonly iid: number;
  readonly title: string;
  readonly sourceBranch: string;
  readonly targetBranch: string;
  /** Where the source branch left the target; undefined when they have nothing in common here. */
  readonly diffBaseSha: string | undefined;
}

/**
 * What the language must know from outside of the commit's files. The room asks instead of fetching, so that it stays
 * a function: whoever calls it answers and calls again (`project` does).
 */
export type Question =
  /** `include:remote`. */
  | { readonly kind: 'remote'; readonly url: string; readonly maxAgeSeconds?: number }
  /** A file of another project; `ref` undefined: its default branch. */
  | {
      readonly kind: 'project';
      readonly project: string;
      readonly ref: string | undefined;
      readonly file: string;
    }
  /** The paths of another project's files: for wildcards and `rules:exists:project`. */
  | { readonly kind: 'project-tree'; readonly project: string; readonly ref: string | undefined }
  /** One of GitLab's own templates, such as `Jobs/Build.gitlab-ci.yml`. */
  | { readonly kind: 'template'; readonly name: string }
  /** `host/group/project/name@version`. */
  | { readonly kind: 'component'; readonly address: string }
  /** Paths changed since the merge base with this ref (`rules:changes:compare_to`). */
  | { readonly kind: 'changes'; readonly compareTo: string }
  /** A file out of the artifacts of a job of this run (`trigger:include:artifact`). */
  | { readonly kind: 'artifact'; readonly job: string; readonly path: string };

export type Answer =
  | {
      readonly kind: 'file';
      readonly text: string;
      /** How messages name the file: `group/project@v1:templates/x.yml`, or its address. */
      readonly name: string;
      /** The project it lies in, for `local` includes inside of it. */
      readonly project?: { readonly path: string; readonly ref: string };
      /** For `$[[ component.version ]]` and its like. */
      readonly component?: {
        readonly name: string;
        readonly sha: string;
        readonly version: string;
        readonly reference: string;
      };
    }
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  /** One sentence, and what the user can do. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly next?: string };

/** What is known so far; undefined: nobody has looked yet. */
export interface Answers {
  get(question: Question): Answer | undefined;
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
  /** Without them, whatever lies outside of the commit is a problem. */
  readonly answers?: Answers;
  /** Of the configuration's own `spec:inputs`, as text: numbers, booleans and lists are read as YAML. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** A child pipeline: its configuration is these includes instead of `configPath`. */
  readonly child?: readonly ChildInclude[];
}

/** `pipeline` is there exactly when no problem is an error and at least one job is in it. */
export interface PipelineResult {
  readonly pipeline: Pipeline | undefined;
  readonly problems: readonly Problem[];
  /** workflow:rules or every job's rules said no: not an error, but nothing runs. Says which. */
  readonly emptyBecause: string | undefined;
  /** Not empty: answer these and ask again; everything else in the result is provisional. Only when `answers` was given. */
  readonly questions?: readonly Question[];
}
