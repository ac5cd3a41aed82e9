import { Document, Scalar, YAMLMap, YAMLSeq, visit } from 'yaml';
import { loadConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import type { Problem, Question } from './pipeline.ts';
import { Problems } from './problems.ts';
import type { LintRequest } from './lint.ts';
import { NO_COMMIT } from './lint.ts';
import { includeContext, prepareScene } from './scene.ts';
import { plain } from './tree.ts';
import type { Entry, Leaf, MapTree, Plain, Tree } from './tree.ts';
import { looksLikeDate, readPlainScalar } from './yaml/scalar.ts';

export interface ExpandedConfiguration {
  /** undefined when the configuration is too broken to be expanded. */
  readonly configuration: { readonly [key: string]: Plain } | undefined;
  /** The same as text that GitLab would accept and take for the same. */
  readonly yaml: string | undefined;
  readonly problems: readonly Problem[];
  /** As of a `PipelineResult`. */
  readonly questions?: readonly Question[];
}

/** Keywords that were put into the jobs and would be put in twice. */
const SPENT = new Set(['default', 'image', 'services', 'cache', 'before_script', 'after_script', 'stages']);
/** What a reader wants to know before the jobs. */
const FIRST = ['workflow', 'variables'];

/** The configuration with includes, extends, default and references put in; hidden keys are gone. */
export function expandConfiguration(request: LintRequest): ExpandedConfiguration {
  const problems = new Problems();
  const full = { ...request, facts: request.facts ?? NO_COMMIT };
  const scene = prepareScene(full, problems);
  const context = includeContext(full, scene, problems);
  const loaded = loadConfiguration(request.child ?? scene.configPath, context);
  // What is wrong could not be printed as something that GitLab accepts.
  const entries = loaded && !problems.hasErrors ? expanded(loaded) : undefined;
  return {
    configuration:
      entries && Object.fromEntries(entries.map((entry) => [entry.key, plain(entry.value)] as const)),
    yaml: entries && printTree(entries),
    problems: problems.list(),
    ...scene.outside.result,
  };
}

function expanded({ tree, stages }: Configuration): readonly Entry[] {
  const { at } = tree;
  const named = stages.filter((stage) => stage !== '.pre' && stage !== '.post');
  const items = named.map((stage): Leaf => ({ kind: 'leaf', value: stage, text: stage, at }));
  const kept = [...tree.entries.values()].filter(({ key }) => !SPENT.has(key) && !key.startsWith('.'));
  const isFirst = ({ key }: Entry): boolean => FIRST.includes(key);
  return [
    ...(items.length > 0 ? [{ key: 'stages', at, value: { kind: 'list', items, at } as const }] : []),
    ...kept.filter(isFirst).toSorted((a, b) => FIRST.indexOf(a.key) - FIRST.indexOf(b.key)),
    ...kept.filter((entry) => !isFirst(entry)),
  ];
}

/**
 * As YAML 1.1, in which `yes` and `22:30` need quotes to be texts. From trees, not objects: those would put jobs with
 * numbers for names first.
 */
function printTree(entries: readonly Entry[]): string {
  const document = new Document(undefined, { version: '1.1', aliasDuplicateObjects: false });
  document.contents = nodeOf({ entries: new Map(entries.map((entry) => [entry.key, entry])) });
  for (const pair of (document.contents as YAMLMap<Scalar>).items.slice(1)) pair.key.spaceBefore = true;
  visit(document, { Scalar: (_, scalar) => quoteIfNeeded(scalar) });
  return document.toString({ directives: false, lineWidth: 0 });
}

function nodeOf(tree: Tree | Pick<MapTree, 'entries'>): YAMLMap | YAMLSeq | Scalar {
  if (!('kind' in tree) || tree.kind === 'map') {
    const map = new YAMLMap();
    for (const { key, value } of tree.entries.values())
      map.add({ key: new Scalar(key), value: nodeOf(value) });
    map.flow = map.items.length === 0;
    return map;
  }
  if (tree.kind !== 'list') return new Scalar(plain(tree));
  const list = new YAMLSeq();
  for (const item of tree.items) list.add(nodeOf(item));
  list.flow = list.items.length === 0;
  return list;
}

/** Psych reads more texts as something else than YAML 1.1 tells: `1,000` is a number to it. */
function quoteIfNeeded(scalar: Scalar): void {
  if (typeof scalar.value !== 'string') return;
  const { value } = scalar;
  if (value.includes('\n')) return;
  const isOther = readPlainScalar(value).value !== value || looksLikeDate(value) || value.startsWith(':');
  if (isOther) scalar.type = 'QUOTE_DOUBLE';
}
