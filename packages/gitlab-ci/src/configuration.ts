import { assemble, assembleChild } from './include.ts';
import { includeShape } from './include-entry.ts';
import type { IncludeContext } from './include.ts';
import { resolveExtends } from './extends.ts';
import { globalVariables, script } from './keywords/common.ts';
import type { VariableDefinitions } from './keywords/common.ts';
import { image, services } from './keywords/image.ts';
import { caches } from './keywords/artifacts.ts';
import { inherit } from './keywords/behaviour.ts';
import {
  DEFAULT_KEYWORDS,
  JOB_KEYWORDS,
  defaultFields,
  jobFields,
  unextendedFields,
} from './keywords/job.ts';
import type { JobKeywords } from './keywords/job.ts';
import { filledText, flatListOf, report } from './keywords/readers.ts';
import type { Reader, Scope } from './keywords/readers.ts';
import { workflow } from './keywords/rules.ts';
import type { Rule } from './keywords/rules.ts';
import type { ProblemCode } from './codes.table.ts';
import type { ChildInclude } from './pipeline.ts';
import { Problems } from './problems.ts';
import { resolveReferences } from './references.ts';
import { nearest } from './suggest.ts';
import { isNull, withEntry } from './tree.ts';
import type { Entry, MapTree, Mark } from './tree.ts';

/** One job as written, everything that is said elsewhere (extends, default, references) put in. */
export interface JobDefinition {
  readonly name: string;
  readonly at: Mark;
  readonly stage: string;
  readonly keywords: JobKeywords;
  /** Triggers or steps: nothing that can be run here. */
  readonly leftOut: boolean;
}

/** The configuration, read and checked, before a commit has anything to say. */
export interface Configuration {
  /** Expanded: includes, extends, default and references put in. */
  readonly tree: MapTree;
  /** With `.pre` and `.post`. */
  readonly stages: readonly string[];
  readonly variables: VariableDefinitions;
  readonly name: string | undefined;
  /** undefined: the keyword is not there. */
  readonly workflowRules: readonly Rule[] | undefined;
  readonly jobs: readonly JobDefinition[];
}

const stages: Reader<readonly string[]> = flatListOf(filledText);

const GLOBAL_KEYWORDS: Readonly<Record<string, Reader<unknown>>> = {
  default: defaultFields,
  include: includeShape,
  stages,
  variables: globalVariables,
  workflow,
  image,
  services,
  cache: caches,
  before_script: script,
  after_script: script,
};

/** Top-level keywords that mean the same inside `default:`. */
export const OLD_DEFAULTS: readonly string[] = [
  'image',
  'services',
  'cache',
  'before_script',
  'after_script',
];
const DEFAULT_STAGES = ['build', 'test', 'deploy'];

/** What a pipeline is made of: a file of the commit, or what a trigger includes. */
export type ConfigurationSource = string | readonly ChildInclude[];

/**
 * Reads a configuration with everything it includes. undefined when it is too broken to go on, or when answers are
 * missing.
 */
export function loadConfiguration(
  from: ConfigurationSource,
  context: IncludeContext,
): Configuration | undefined {
  const { problems } = context;
  const assembled = typeof from === 'string' ? assemble(from, context) : assembleChild(from, context);
  if (context.outside.isWaiting) return undefined;
  if (!assembled) return undefined;
  // What could not be read or included is missing everywhere below: its absence would be reported once more.
  if (problems.hasErrors) problems.withhold(ABSENCES);
  const before = problems.errorCount;
  const expanded = resolveReferences(resolveExtends(assembled, problems), problems);
  if (problems.errorCount > before) problems.withhold(UNFINISHED);
  return readConfiguration(applyDefaults(expanded, problems), problems);
}

/** Consequences of a job that could not be put together. */
const UNFINISHED: readonly ProblemCode[] = ['missing-keyword', 'need-not-in-pipeline'];
/** Consequences of a file that could not be read. */
const ABSENCES: readonly ProblemCode[] = [
  ...UNFINISHED,
  'extends-missing',
  'reference-missing',
  'unknown-stage',
  'no-jobs',
  'missing-need',
  'missing-dependency',
  'invalid-on-stop',
];

const isGlobal = (key: string): boolean => Object.hasOwn(GLOBAL_KEYWORDS, key);
const isHidden = (key: string): boolean => key.startsWith('.');

/** Gives every job the defaults it has no word of its own for. */
export function applyDefaults(config: MapTree, problems: Problems): MapTree {
  const defaults = defaultsOf(config, problems);
  if (defaults.size === 0) return config;
  const entries = new Map<string, Entry>();
  for (const [key, entry] of config.entries) {
    const isJob = !isGlobal(key) && !isHidden(key);
    const { value } = entry;
    entries.set(
      key,
      isJob && value.kind === 'map' ? { ...entry, value: withDefaults(value, defaults) } : entry,
    );
  }
  return { ...config, entries };
}

function defaultsOf(config: MapTree, problems: Problems): ReadonlyMap<string, Entry> {
  const given = config.entries.get('default')?.value;
  const defaults = new Map(given?.kind === 'map' ? given.entries : []);
  for (const key of OLD_DEFAULTS) {
    const old = config.entries.get(key);
    if (!old) continue;
    if (defaults.has(key)) {
      problems.add('conflicting-keywords', old.at, `${key} stands at the top level and in default; keep one`);
    }
    defaults.set(key, old);
  }
  return defaults;
}

function withDefaults(job: MapTree, defaults: ReadonlyMap<string, Entry>): MapTree {
  const inherits = inheritedDefaults(job);
  let result = job;
  for (const [key, entry] of defaults) {
    const own = job.entries.get(key);
    if (own && !isNull(own.value)) continue;
    if (Object.hasOwn(DEFAULT_KEYWORDS, key) && inherits(key)) result = withEntry(result, entry);
  }
  return result;
}

function inheritedDefaults(job: MapTree): (key: string) => boolean {
  const written = job.entries.get('inherit')?.value;
  // Mistakes in `inherit` are reported when the job is read.
  const unheard: Scope = { problems: new Problems(), subject: '', keyword: 'inherit' };
  const which = written ? inherit(written, unheard)?.default : true;
  return (key) => (Array.isArray(which) ? which.includes(key) : which !== false);
}

export interface ReadOptions {
  /** Only the shapes of keywords: `extends` and `!reference` are still in it, jobs may be unfinished. */
  readonly shapesOnly?: boolean;
}

/** Reads the expanded configuration and checks everything that does not depend on the commit. */
export function readConfiguration(
  tree: MapTree,
  problems: Problems,
  options: ReadOptions = {},
): Configuration {
  const globals: Record<string, unknown> = {};
  const jobs: Entry[] = [];
  for (const entry of tree.entries.values()) {
    if (isGlobal(entry.key)) globals[entry.key] = readGlobal(entry, problems);
    else if (!isHidden(entry.key)) jobs.push(entry);
  }
  const flow = globals['workflow'] as { name?: string; rules?: readonly Rule[] } | undefined;
  const named = (globals['stages'] as readonly string[] | undefined) ?? DEFAULT_STAGES;
  const allStages = [...new Set(['.pre', ...named.filter((stage) => stage !== '.post'), '.post'])];
  const definitions = jobs.flatMap((entry) => {
    const job = readJob(entry, problems, options);
    if (job && !options.shapesOnly) checkJob(entry, job, { allStages, problems });
    return job ?? [];
  });
  if (jobs.length === 0 && !options.shapesOnly) {
    problems.add('no-jobs', tree.at, 'the configuration has no visible job');
  }
  return {
    tree,
    stages: allStages,
    variables: (globals['variables'] as VariableDefinitions | undefined) ?? new Map(),
    name: flow?.name,
    workflowRules: flow?.rules,
    jobs: definitions,
  };
}

function readGlobal(entry: Entry, problems: Problems): unknown {
  const reader = GLOBAL_KEYWORDS[entry.key];
  if (isNull(entry.value) || !reader) return undefined;
  return reader(entry.value, { problems, subject: 'configuration', keyword: entry.key });
}

/** One of these makes a map a job. */
const WORK = ['script', 'run', 'trigger'];
const RESERVED = new Set(['types', 'true', 'false', 'nil']);
const MAX_NAME = 255;

function readJob(entry: Entry, problems: Problems, options: ReadOptions): JobDefinition | undefined {
  const scope: Scope = { problems, subject: `job ${entry.key}`, keyword: '' };
  if (!checkJobShape(entry, problems)) return undefined;
  const keywords = (options.shapesOnly ? unextendedFields : jobFields)(entry.value, scope) ?? {};
  const leftOut = keywords.trigger !== undefined || keywords.run !== undefined;
  return { name: entry.key, at: entry.at, stage: keywords.stage ?? 'test', keywords, leftOut };
}

interface CheckContext {
  readonly allStages: readonly string[];
  readonly problems: Problems;
}

function checkJob(entry: Entry, { keywords, stage }: JobDefinition, context: CheckContext): void {
  const scope: Scope = { problems: context.problems, subject: `job ${entry.key}`, keyword: '' };
  if (RESERVED.has(entry.key) || entry.key === '' || entry.key.length > MAX_NAME) {
    const why = `a job may not be named so (reserved, empty or over ${MAX_NAME} characters)`;
    report(scope, 'invalid-name', entry.at, why);
  }
  if (!context.allStages.includes(stage)) reportStage(entry, stage, context);
  if (entry.value.kind === 'map') checkCombinations(entry.value, entry.at, { keywords, scope });
}

/** A job is a map with something to do; anything else at the top level is most likely a misspelt keyword. */
function checkJobShape({ key, at, value }: Entry, problems: Problems): boolean {
  if (value.kind === 'map' && WORK.some((keyword) => value.entries.has(keyword))) return true;
  const suggestion = nearest(key, Object.keys(GLOBAL_KEYWORDS));
  if (value.kind === 'map' && suggestion === undefined) return true;
  const belongsIntoJob = value.kind !== 'map' && Object.hasOwn(JOB_KEYWORDS, key);
  const why = belongsIntoJob
    ? 'belongs into a job, not to the top level'
    : 'is neither a keyword nor a job (a map with script)';
  problems.add('unknown-keyword', at, `${key} ${why}`, suggestion);
  return false;
}

function reportStage(entry: Entry, stage: string, given: CheckContext): void {
  const written = entry.value.kind === 'map' ? entry.value.entries.get('stage')?.value : undefined;
  // A job that could not be put together may miss the stage that it extends.
  if (!written && given.problems.isWithheld('missing-keyword')) return;
  const how = written
    ? `the stage ${stage} does not exist`
    : `it names no stage, and the default one, ${stage}, does not exist`;
  const message = `job ${entry.key}: ${how}; there are ${given.allStages.join(', ')}`;
  given.problems.add('unknown-stage', written?.at ?? entry.at, message, nearest(stage, given.allStages));
}

interface ReadJob {
  readonly keywords: JobKeywords;
  readonly scope: Scope;
}

function checkCombinations(tree: MapTree, at: Mark, { keywords, scope }: ReadJob): void {
  const has = (key: string): boolean => {
    const entry = tree.entries.get(key);
    return entry !== undefined && !isNull(entry.value);
  };
  const work = WORK.filter(has);
  if (work.length === 0) {
    report(scope, 'missing-keyword', at, 'script is missing');
  }
  if (work.length > 1) report(scope, 'conflicting-keywords', at, `${work.join(' and ')} exclude each other`);
  for (const key of ['only', 'except']) {
    const entry = tree.entries.get(key);
    if (entry && has(key) && has('rules'))
      report(scope, 'conflicting-keywords', entry.at, `rules and ${key} exclude each other`);
  }
  checkDelay(tree, at, { keywords, scope });
  sayLeftOut(work, at, scope);
}

function checkDelay(tree: MapTree, at: Mark, { keywords, scope }: ReadJob): void {
  const startIn = tree.entries.get('start_in');
  if (keywords.when === 'delayed' && keywords.start_in === undefined && !startIn) {
    report(scope, 'missing-keyword', at, 'when: delayed needs start_in');
  }
  if (keywords.when !== 'delayed' && startIn && !keywords.rules && !isNull(startIn.value)) {
    report(scope, 'conflicting-keywords', startIn.at, 'start_in is for when: delayed only');
  }
}

function sayLeftOut(work: readonly string[], at: Mark, scope: Scope): void {
  if (work.includes('trigger'))
    report(
      scope,
      'unsupported-keyword',
      at,
      'trigger starts another pipeline, which cannot be done here yet: the job is left out',
    );
  else if (work.includes('run'))
    report(
      scope,
      'unsupported-keyword',
      at,
      'run needs GitLab’s step runner, which is not here: the job is left out',
    );
}
