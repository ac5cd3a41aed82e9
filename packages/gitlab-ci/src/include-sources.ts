import { includeMatcher } from './globs.ts';
import { report } from './keywords/readers.ts';
import type { Scope } from './keywords/readers.ts';
import type { IncludeTarget } from './include-entry.ts';
import type { Outside } from './outside.ts';
import type { Answer, CommitFiles, Question } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { whyNot } from './scene.ts';
import { nearest } from './suggest.ts';
import type { Mark } from './tree.ts';
import { expandVariables } from './variables/expand.ts';
import { sha256 } from './variables/sha256.ts';

/** Where a file lies, and so its `local` includes: the commit, another project, or a place without neighbours. */
export type Home = 'commit' | 'nowhere' | { readonly path: string; readonly ref: string };

type FileAnswer = Answer & { readonly kind: 'file' };

/** A file that was found. */
export interface Located {
  /** How messages name it; the same for the same file. */
  readonly name: string;
  readonly text: string;
  readonly home: Home;
  readonly component?: FileAnswer['component'];
}

/** Whose include it is. */
export interface Includer {
  readonly home: Home;
  readonly at: Mark;
  readonly scope: Scope;
}

export interface SourcesContext {
  readonly files: CommitFiles;
  readonly problems: Problems;
  readonly outside: Outside;
  /** Artifacts may be included, as in a child pipeline. */
  readonly isChild: boolean;
  /** Of what is known before the pipeline. */
  expanded(name: string): string | undefined;
}

/** Finds the files that `include` names. What can't be found is reported, or asked for and left out for now. */
export class Sources {
  readonly #context: SourcesContext;

  constructor(context: SourcesContext) {
    this.#context = context;
  }

  locate(target: IncludeTarget, includer: Includer): readonly Located[] {
    switch (target.kind) {
      case 'local':
        return this.#local(withoutRoot(this.#expand(target.location)), includer);
      case 'remote':
        return this.#remote(target, includer);
      case 'project':
        return this.#project(target, includer);
      case 'template':
        return this.#template(this.#expand(target.location), includer);
      case 'component':
        return this.#component(this.#expand(target.location), includer);
      case 'artifact':
        return this.#artifact(target, includer);
    }
  }

  #expand(text: string): string {
    return expandVariables(text, this.#context.expanded);
  }

  #local(path: string, includer: Includer): readonly Located[] {
    const { home } = includer;
    if (!isYaml(path)) return refused(includer, `include:local ${path} must end with .yml or .yaml`);
    if (home === 'nowhere') {
      const message = `include:local ${path}: a file from the web or a template has no repository of its own to take it from`;
      return refused(includer, message);
    }
    if (path.includes('*')) return this.#wildcard(path, includer);
    return home === 'commit'
      ? this.#ofCommit(path, includer)
      : this.#ofProject({ ...home, file: path }, includer);
  }

  #ofCommit(path: string, { scope, at }: Includer): readonly Located[] {
    const { files, problems } = this.#context;
    const text = files.read(path);
    if (text !== undefined) return [{ name: path, text, home: 'commit' }];
    const message = `${scope.subject}: the included file ${path} is not in this commit`;
    problems.add('file-missing', at, message, () => nearest(path, yamlFiles(files.list())));
    return [];
  }

  #wildcard(path: string, includer: Includer): readonly Located[] {
    const { home, scope, at } = includer;
    const all = home === 'commit' ? this.#context.files.list() : this.#treeOf(includer);
    if (!all) return [];
    const paths = yamlFiles(all).filter(includeMatcher(path));
    if (paths.length === 0) report(scope, 'file-missing', at, `no file fits include:local ${path}`);
    return paths.flatMap((one) =>
      typeof home === 'string'
        ? this.#ofCommit(one, includer)
        : this.#ofProject({ ...home, file: one }, includer),
    );
  }

  #treeOf(includer: Includer): readonly string[] | undefined {
    const { home } = includer;
    if (typeof home === 'string') return undefined;
    const answer = this.#ask({ kind: 'project-tree', project: home.path, ref: home.ref }, includer, 'local');
    return answer?.kind === 'paths' ? answer.paths : undefined;
  }

  #ofProject(
    wanted: { readonly path: string; readonly ref: string | undefined; readonly file: string },
    includer: Includer,
  ): readonly Located[] {
    const { path, ref, file } = wanted;
    return this.#file({ kind: 'project', project: path, ref, file }, includer, 'project');
  }

  #project(target: IncludeTarget & { kind: 'project' }, includer: Includer): readonly Located[] {
    const path = withoutRoot(this.#expand(target.project));
    const ref = target.ref === undefined ? undefined : this.#expand(target.ref);
    return target.files.flatMap((written) => {
      const file = withoutRoot(this.#expand(written));
      if (!isYaml(file)) return refused(includer, `include:file ${file} must end with .yml or .yaml`);
      return this.#ofProject({ path, ref, file }, includer);
    });
  }

  #remote(target: IncludeTarget & { kind: 'remote' }, includer: Includer): readonly Located[] {
    const url = this.#expand(target.location);
    if (!/^https?:\/\/[^/]/i.test(url))
      return refused(includer, `include:remote ${url} is not an http address`);
    if (!isYaml(url)) return refused(includer, `include:remote ${url} must end with .yml or .yaml`);
    const { maxAgeSeconds, integrity } = target;
    const question: Question = {
      kind: 'remote',
      url,
      ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
    };
    const located = this.#file(question, includer, 'remote');
    const [found] = located;
    if (!found || integrity === undefined || integrity === hashOf(found.text)) return located;
    const message = `${url} has the hash ${hashOf(found.text)}, not the one that include:integrity names: it has changed`;
    report(includer.scope, 'integrity-mismatch', includer.at, message);
    return [];
  }

  #template(name: string, includer: Includer): readonly Located[] {
    if (name.endsWith('.gitlab-ci.yml')) return this.#file({ kind: 'template', name }, includer, 'template');
    return refused(includer, `include:template ${name} must end with .gitlab-ci.yml`);
  }

  #component(address: string, includer: Includer): readonly Located[] {
    if (/^[^/@]+\/[^@]+\/[^/@]+@[^@]+$/.test(address)) {
      return this.#file({ kind: 'component', address }, includer, 'component');
    }
    return refused(includer, `include:component ${address} must be host/project/name@version`);
  }

  #artifact(target: IncludeTarget & { kind: 'artifact' }, includer: Includer): readonly Located[] {
    if (!this.#context.isChild) return refused(includer, 'include:artifact is for trigger:include only');
    const question: Question = {
      kind: 'artifact',
      job: this.#expand(target.job),
      path: withoutRoot(this.#expand(target.location)),
    };
    return this.#file(question, includer, 'artifact');
  }

  #file(question: Question, includer: Includer, keyword: string): readonly Located[] {
    const answer = this.#ask(question, includer, keyword);
    if (answer?.kind !== 'file') return [];
    const { name, text, project, component } = answer;
    // What an artifact includes lies in the commit that is run.
    const home = project ?? (question.kind === 'artifact' ? 'commit' : 'nowhere');
    return [{ name, text, home, ...(component ? { component } : {}) }];
  }

  #ask(question: Question, { scope, at }: Includer, keyword: string): Answer | undefined {
    const answer = this.#context.outside.ask(question);
    if (answer === 'pending') return undefined;
    if (answer === 'unanswerable') {
      const message = `include:${keyword} takes a file from outside this repository, which cannot be fetched here; copy it in and use include:local`;
      return report(scope, 'include-unsupported', at, message);
    }
    const wanted = question.kind === 'project-tree' ? 'paths' : 'file';
    if (answer.kind === wanted) return answer;
    return report(
      scope,
      'include-unavailable',
      at,
      `include:${keyword} ${nameOf(question)}: ${whyNot(answer)}`,
    );
  }
}

function nameOf(question: Question): string {
  switch (question.kind) {
    case 'remote':
      return question.url;
    case 'project':
      return `${question.project}${question.ref === undefined ? '' : `@${question.ref}`}:${question.file}`;
    case 'project-tree':
      return `${question.project}${question.ref === undefined ? '' : `@${question.ref}`}`;
    case 'template':
      return question.name;
    case 'component':
      return question.address;
    case 'artifact':
      return `${question.path} of the job ${question.job}`;
    case 'changes':
      return question.compareTo;
  }
}

function refused({ scope, at }: Includer, message: string): readonly Located[] {
  report(scope, 'include-invalid', at, message);
  return [];
}

/** `./` means no folder to GitLab: such a file is not there. */
const withoutRoot = (path: string): string => path.replace(/^\/+/, '');
const isYaml = (path: string): boolean => /[^/]\.ya?ml$/i.test(path);
export const yamlFiles = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => /\.ya?ml$/i.test(path));

const hashOf = (text: string): string => `sha256-${btoa(String.fromCharCode(...sha256(text)))}`;
