import type { Answers, CommitFacts, PipelineRequest, Question, Variable } from '@updraft/gitlab-ci';

/** What the user asked for, on any command that looks at a commit. */
export interface ProjectSelection {
  /** Any folder inside of the repository. */
  readonly dir: string;
  /** A branch or commit; default: what is checked out. */
  readonly ref?: string;
  readonly tag?: string;
  /** CI_PIPELINE_SOURCE; default `push`. */
  readonly source?: string;
  /** Of a merge-request pipeline: the branch it would be merged into; default: the default branch. */
  readonly target?: string;
  /** Of a scheduled pipeline (CI_PIPELINE_SCHEDULE_DESCRIPTION). */
  readonly scheduleDescription?: string;
  /** The exact commit: changes of the work tree are left out. */
  readonly committed?: boolean;
  /** What `rules:changes` compares with, instead of the parent commit. */
  readonly compareTo?: string;
  /** Default: `.gitlab-ci.yml`, else `.gitlab/gitlab-ci.yml`. */
  readonly configPath?: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Of the configuration's own `spec:inputs`, as text. */
  readonly inputs?: Readonly<Record<string, string>>;
}

export interface ProjectContext {
  /** UPDRAFT_HOME: the user's variables and the cache of fetched includes lie there. */
  readonly home: string;
  /** The user's home folder, where gitlab-ci-local's file is and `~` leads to. Default: of who runs this. */
  readonly userHome?: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The platform's settings for a project of this path; the user's own win over them. */
  readonly platformVariables?: (projectPath: string) => readonly Variable[];
  /** Of who asks: how ssh, its agent and proxies are reached. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Hears what the user should know, such as that an old copy stands for what cannot be fetched. */
  readonly onNote?: (note: string) => void;
  /** Where GitLab's own templates are fetched, instead of gitlab.com. */
  readonly templateServer?: string;
  /** Ask no network: only what was fetched before. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** A commit (or the work tree on top of it) as the language needs it. */
export interface Project {
  /** Top folder of the repository. */
  readonly dir: string;
  readonly facts: CommitFacts;
  /** Everything but answers. */
  readonly request: PipelineRequest;
  /** Paths that differ from the commit and are part of this pipeline; undefined: exactly the commit is run. */
  readonly uncommitted: readonly string[] | undefined;
  /** Where the variables come from that the user's files set: for `updraft explain`. */
  readonly variableOrigins: ReadonlyMap<string, string>;
  /** Answers the language's questions: fetches, from the cache when it can. Remembers what it answered. */
  answer(question: Question): Promise<void>;
  readonly answers: Answers;
}
