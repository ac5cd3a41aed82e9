import { firstHolding } from './conditions.ts';
import type { RuleContext } from './conditions.ts';
import { includeMatcher } from './globs.ts';
import { anything, filledText, mapOf, oneOrList, record, report } from './keywords/readers.ts';
import type { Read, Reader, Scope } from './keywords/readers.ts';
import { includeRules } from './keywords/rules.ts';
import { mergeMaps } from './merge.ts';
import type { CommitFiles } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { SourceFile, child, isNull, isText, withoutEntry } from './tree.ts';
import type { MapTree, Mark, Tree } from './tree.ts';
import { expandVariables } from './variables/expand.ts';
import { applyHeader } from './inputs.ts';
import { readYaml } from './yaml/read-yaml.ts';

/** GitLab's limit on all files of a configuration together. */
const MAX_FILES = 150;

export interface IncludeContext {
  readonly files: CommitFiles;
  readonly problems: Problems;
  /** Of what is known before the pipeline: predefined, project and pipeline variables. */
  readonly rules: RuleContext;
}

/** Reads the configuration file and everything it includes, merged into one map; undefined when there is none. */
export function assemble(path: string, context: IncludeContext): MapTree | undefined {
  return new Assembly(context).file({ path, chain: [], includedAt: undefined, inputs: undefined });
}

interface FileRequest {
  readonly path: string;
  /** The files that led here, outermost first. */
  readonly chain: readonly string[];
  readonly includedAt: Mark | undefined;
  /** `include:inputs`. */
  readonly inputs: MapTree | undefined;
}

const entryFields = record({
  local: filledText,
  project: filledText,
  file: oneOrList(filledText),
  ref: filledText,
  remote: filledText,
  template: filledText,
  component: filledText,
  artifact: filledText,
  job: filledText,
  integrity: filledText,
  cache: anything,
  inputs: mapOf(anything),
  rules: includeRules,
});

const KINDS = ['local', 'project', 'remote', 'template', 'component', 'artifact'] as const;

class Assembly {
  readonly #context: IncludeContext;
  #files = 0;

  constructor(context: IncludeContext) {
    this.#context = context;
  }

  file(request: FileRequest): MapTree | undefined {
    const { files, problems } = this.#context;
    this.#files += 1;
    if (this.#files > MAX_FILES) {
      problems.add('include-limit', request.includedAt, `more than ${MAX_FILES} files are included`);
      return undefined;
    }
    const text = files.read(request.path);
    if (text === undefined) return this.#missing(request);
    const source = new SourceFile(request.path, text, request.chain);
    const documents = readYaml(source, problems);
    const body = applyHeader({
      documents,
      source,
      passed: request.inputs,
      includedAt: request.includedAt,
      problems,
      rules: this.#context.rules,
    });
    if (body === undefined || isNull(body)) {
      // An included file may be empty.
      if (request.chain.length === 0 && !problems.hasErrors)
        problems.add('not-a-map', { source, offset: 0 }, `${request.path} is empty`);
      return undefined;
    }
    if (body.kind !== 'map') {
      problems.add('not-a-map', body.at, `${request.path} must be a map of keywords and jobs`);
      return undefined;
    }
    return this.#withIncludes(body, request);
  }

  #missing(request: FileRequest): undefined {
    const { files, problems } = this.#context;
    const message =
      request.includedAt === undefined
        ? `there is no ${request.path} in this commit`
        : `the included file ${request.path} is not in this commit`;
    problems.add('file-missing', request.includedAt, message, nearest(request.path, yamlFiles(files)));
  }

  #withIncludes(body: MapTree, request: FileRequest): MapTree {
    const include = body.entries.get('include');
    if (!include) return body;
    const scope: Scope = { problems: this.#context.problems, subject: request.path, keyword: 'include' };
    const entries = include.value.kind === 'list' ? include.value.items : [include.value];
    let merged: MapTree | undefined;
    for (const entry of entries.flatMap((one) => (one.kind === 'list' ? one.items : [one]))) {
      for (const included of this.#entry(entry, request, scope)) {
        merged = merged ? mergeMaps(merged, included) : included;
      }
    }
    const own = withoutEntry(body, 'include');
    return merged ? mergeMaps(merged, own) : own;
  }

  #entry(tree: Tree, request: FileRequest, scope: Scope): readonly MapTree[] {
    if (isNull(tree)) return [];
    if (isText(tree)) {
      if (/^https?:\/\//.test(tree.value)) return this.#unsupported('remote', tree, scope);
      return this.#local(tree.value, { tree, request, scope, inputs: undefined });
    }
    const read = entryFields(tree, scope);
    if (!read || tree.kind !== 'map' || !this.#wanted(read)) return [];
    const kind = kindOf(tree, scope);
    if (kind === undefined) return [];
    if (read.local === undefined) return this.#unsupported(kind, tree, scope);
    const inputs = child(tree, 'inputs');
    return this.#local(read.local, {
      tree,
      request,
      scope,
      inputs: inputs?.kind === 'map' ? inputs : undefined,
    });
  }

  #wanted(read: Read<typeof entryFields>): boolean {
    if (!read.rules || read.rules.length === 0) return true;
    const rule = firstHolding(read.rules, this.#context.rules);
    return rule !== undefined && rule.when !== 'never';
  }

  #unsupported(kind: string, tree: Tree, scope: Scope): readonly MapTree[] {
    const message = `include:${kind} takes a file from outside this repository, which cannot be fetched here; copy it in and use include:local`;
    report(scope, 'include-unsupported', tree.at, message);
    return [];
  }

  #local(
    written: string,
    from: { tree: Tree; request: FileRequest; scope: Scope; inputs: MapTree | undefined },
  ): readonly MapTree[] {
    const { request, scope, tree } = from;
    const path = expandVariables(written, this.#context.rules.expanded).replace(/^(?:\.?\/)+/, '');
    if (!/\.ya?ml$/.test(path)) {
      report(scope, 'include-invalid', tree.at, `include:local ${path} must end with .yml or .yaml`);
      return [];
    }
    const paths = path.includes('*') ? yamlFiles(this.#context.files).filter(includeMatcher(path)) : [path];
    if (paths.length === 0)
      report(scope, 'file-missing', tree.at, `no file of this commit fits include:local ${path}`);
    const chain = [...request.chain, request.path];
    return paths.flatMap((one) => {
      if (chain.includes(one)) {
        report(scope, 'include-cycle', tree.at, [...chain.slice(chain.indexOf(one)), one].join(' includes '));
        return [];
      }
      return this.file({ path: one, chain, includedAt: tree.at, inputs: from.inputs }) ?? [];
    });
  }
}

const yamlFiles = (files: CommitFiles): readonly string[] =>
  files.list().filter((path) => /\.ya?ml$/.test(path));

function kindOf(tree: MapTree, scope: Scope): string | undefined {
  const kinds = KINDS.filter((kind) => tree.entries.has(kind));
  if (kinds.length !== 1) {
    return report(scope, 'include-invalid', tree.at, `an entry must have exactly one of ${KINDS.join(', ')}`);
  }
  if (tree.entries.has('cache') && kinds[0] !== 'remote') {
    report(scope, 'conflicting-keywords', tree.at, 'include:cache is for include:remote only');
  }
  return kinds[0];
}

const includeEntry: Reader<unknown> = (tree, scope) => {
  if (isText(tree)) return tree.value;
  const read = entryFields(tree, scope);
  if (read && tree.kind === 'map') kindOf(tree, scope);
  return read;
};

/** The shape of `include` alone, for the lint that opens no other file. */
export const includeShape: Reader<unknown> = oneOrList(includeEntry);
