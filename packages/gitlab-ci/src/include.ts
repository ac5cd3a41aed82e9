import { firstHolding } from './conditions.ts';
import type { RuleContext } from './conditions.ts';
import { includeEntry } from './include-entry.ts';
import type { IncludeEntry } from './include-entry.ts';
import { Sources, yamlFiles } from './include-sources.ts';
import type { Located } from './include-sources.ts';
import { applyHeader } from './inputs.ts';
import { report } from './keywords/readers.ts';
import type { Scope } from './keywords/readers.ts';
import { mergeMaps } from './merge.ts';
import type { Outside } from './outside.ts';
import type { ChildInclude, CommitFiles } from './pipeline.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { FixedPlace, SourceFile, isNull, treeOf, withoutEntry } from './tree.ts';
import type { MapTree, Mark, Tree } from './tree.ts';
import { readYaml } from './yaml/read-yaml.ts';

/** GitLab's limit on all files of a configuration together. */
const MAX_FILES = 150;

export interface IncludeContext {
  readonly files: CommitFiles;
  readonly problems: Problems;
  readonly outside: Outside;
  /** Of what is known before the pipeline: predefined, project and pipeline variables. */
  readonly rules: RuleContext;
  /** `PipelineRequest.inputs`. */
  readonly inputs: Readonly<Record<string, string>> | undefined;
  /** Variables whose values may not show up in the configuration. */
  isMasked(name: string): boolean;
}

/** Reads the configuration file and everything it includes, merged into one map; undefined when there is none. */
export function assemble(path: string, context: IncludeContext): MapTree | undefined {
  const { files, problems } = context;
  const text = files.read(path);
  if (text === undefined) {
    const message = `there is no ${path} in this commit`;
    problems.add('file-missing', undefined, message, () => nearest(path, yamlFiles(files.list())));
    return undefined;
  }
  const root = { located: { name: path, text, home: 'commit' } as const, chain: [] };
  const at = { source: new FixedPlace({ file: '--input', line: 1, column: 1 }), offset: 0 };
  const inputs = context.inputs && treeOf(context.inputs, at);
  return new Assembly(context, false).file({
    ...root,
    includedAt: undefined,
    inputs: inputs?.kind === 'map' && inputs.entries.size > 0 ? inputs : undefined,
    areTexts: true,
  });
}

/** The configuration of a child pipeline: nothing but what its trigger includes. */
export function assembleChild(
  includes: readonly ChildInclude[],
  context: IncludeContext,
): MapTree | undefined {
  return new Assembly(context, true).child(includes);
}

interface FileRequest {
  readonly located: Located;
  /** The names of the files that led here, outermost first. */
  readonly chain: readonly string[];
  readonly includedAt: Mark | undefined;
  /** `include:inputs`. */
  readonly inputs: MapTree | undefined;
  /** The inputs come from a command line. */
  readonly areTexts?: boolean;
}

class Assembly {
  readonly #context: IncludeContext;
  readonly #sources: Sources;
  #files = 0;

  constructor(context: IncludeContext, isChild: boolean) {
    const { files, problems, outside, rules } = context;
    this.#context = context;
    this.#sources = new Sources({ files, problems, outside, isChild, expanded: rules.expanded });
  }

  child(includes: readonly ChildInclude[]): MapTree | undefined {
    let merged: MapTree | undefined;
    for (const { entry, inputs, position } of includes) {
      const at = { source: new FixedPlace(position), offset: 0 };
      const tree = treeOf({ ...entry, inputs }, at);
      const scope: Scope = { problems: this.#context.problems, subject: position.file, keyword: 'include' };
      for (const body of this.#entry(
        tree,
        { name: position.file, text: '', home: 'commit' },
        { scope, chain: [] },
      )) {
        merged = merged ? mergeMaps(merged, body) : body;
      }
    }
    return merged;
  }

  file(request: FileRequest): MapTree | undefined {
    const { problems, rules } = this.#context;
    const { located, chain, includedAt, inputs } = request;
    this.#files += 1;
    if (this.#files > MAX_FILES) {
      problems.add('include-limit', includedAt, `more than ${MAX_FILES} files are included`);
      return undefined;
    }
    const source = new SourceFile(located.name, located.text, chain);
    const documents = readYaml(source, problems);
    const body = applyHeader({
      documents,
      source,
      passed: inputs,
      areTexts: request.areTexts ?? false,
      includedAt,
      problems,
      rules,
      isMasked: (name) => this.#context.isMasked(name),
      component: located.component,
      sources: this.#sources,
      home: located.home,
    });
    return this.#body(body, request, source);
  }

  #body(body: Tree | undefined, request: FileRequest, source: SourceFile): MapTree | undefined {
    const { problems } = this.#context;
    const { name } = request.located;
    if (body === undefined || isNull(body)) {
      if (!problems.hasErrors) problems.add('not-a-map', { source, offset: 0 }, `${name} is empty`);
      return undefined;
    }
    if (body.kind === 'map') return this.#withIncludes(body, request);
    problems.add('not-a-map', body.at, `${name} must be a map of keywords and jobs`);
    return undefined;
  }

  #withIncludes(body: MapTree, { located, chain }: FileRequest): MapTree {
    const include = body.entries.get('include');
    if (!include) return body;
    const scope: Scope = { problems: this.#context.problems, subject: located.name, keyword: 'include' };
    const entries = include.value.kind === 'list' ? include.value.items : [include.value];
    let merged: MapTree | undefined;
    for (const entry of entries.flatMap((one) => (one.kind === 'list' ? one.items : [one]))) {
      for (const included of this.#entry(entry, located, { scope, chain: [...chain, located.name] })) {
        merged = merged ? mergeMaps(merged, included) : included;
      }
    }
    const own = withoutEntry(body, 'include');
    return merged ? mergeMaps(merged, own) : own;
  }

  #entry(
    tree: Tree,
    { home }: Located,
    { scope, chain }: { readonly scope: Scope; readonly chain: readonly string[] },
  ): readonly MapTree[] {
    const { errorCount } = scope.problems;
    const entry = isNull(tree) ? undefined : includeEntry(tree, scope);
    if (!entry || scope.problems.errorCount > errorCount) return [];
    // Once over the limit, asking for more would only make the wait longer.
    if (this.#files > MAX_FILES || !this.#wanted(entry)) return [];
    return this.#sources.locate(entry.target, { home, at: entry.at, scope }).flatMap((located) => {
      if (chain.includes(located.name)) {
        const circle = [...chain.slice(chain.indexOf(located.name)), located.name].join(' includes ');
        return report(scope, 'include-cycle', entry.at, circle) ?? [];
      }
      return this.file({ located, chain, includedAt: entry.at, inputs: entry.inputs }) ?? [];
    });
  }

  #wanted({ rules }: IncludeEntry): boolean {
    if (!rules || rules.length === 0) return true;
    const rule = firstHolding(rules, this.#context.rules);
    return rule !== undefined && rule.when !== 'never';
  }
}
