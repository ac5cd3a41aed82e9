import { WORK, checkJob } from './check-job.ts';
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
import { jobInputs, withJobInputs } from './keywords/job-inputs.ts';
import { filledText, flatListOf } from './keywords/readers.ts';
import type { Read, Reader, Scope } from './keywords/readers.ts';
import { workflow } from './keywords/rules.ts';
import type { AutoCancel, Rule } from './keywords/rules.ts';
import type { ProblemCode } from './codes.table.ts';
import type { ChildInclude, ForeignNeed } from './pipeline.ts';
import { Problems } from './problems.ts';
import { resolveReferences } from './references.ts';
import { nearest } from './suggest.ts';
import { child, isNull, withEntry } from './tree.ts';
import type { Entry, MapTree, Mark, Tree } from './tree.ts';

/** One job as written, everything that is said elsewhere (extends, default, references) put in. */
export interface JobDefinition {
  readonly name: string;
  readonly at: Mark;
  readonly stage: string;
  readonly keywords: JobKeywords;
  /** Needs on jobs of other pipelines; those of this one are among the keywords. */
  readonly foreignNeeds: readonly ForeignNeed[];
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
  readonly autoCancel: AutoCancel | undefined;
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
  if (!assembled) {
    if (typeof from !== 'string' && !problems.hasErrors)
      problems.add('no-jobs', undefined, 'the trigger includes nothing: the child pipeline has no jobs');
    return undefined;
  }
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
    const { value } = entry;
    const isJob = !isGlobal(key) && !isHidden(key) && value.kind === 'map';
    entries.set(key, isJob ? { ...entry, value: withDefaults(value, defaults) } : entry);
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
    if ((own && !isNull(own.value)) || !Object.hasOwn(DEFAULT_KEYWORDS, key)) continue;
    // A trigger has nothing that an image or a script could serve.
    if (job.entries.has('trigger') && key !== 'interruptible') continue;
    if (inherits(key)) result = withEntry(result, entry);
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
  const flow = globals['workflow'] as Read<typeof workflow> | undefined;
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
    autoCancel: flow?.auto_cancel,
    jobs: definitions,
  };
}

function readGlobal(entry: Entry, problems: Problems): unknown {
  const reader = GLOBAL_KEYWORDS[entry.key];
  if (isNull(entry.value) || !reader) return undefined;
  return reader(entry.value, { problems, subject: 'configuration', keyword: entry.key });
}

function readJob(entry: Entry, problems: Problems, options: ReadOptions): JobDefinition | undefined {
  if (!checkJobShape(entry, problems)) return undefined;
  const scope: Scope = { problems, subject: `job ${entry.key}`, keyword: '' };
  const read = options.shapesOnly ? unextendedFields : jobFields;
  const keywords = read(withInputs(entry.value, scope), scope) ?? {};
  const { needs } = keywords;
  const foreignNeeds = needs?.flatMap((need) => need.foreign ?? []) ?? [];
  const local = foreignNeeds.length > 0 && needs ? { needs: needs.filter((need) => !need.foreign) } : {};
  return {
    name: entry.key,
    at: entry.at,
    stage: keywords.stage ?? 'test',
    keywords: { ...keywords, ...local },
    foreignNeeds,
  };
}

/** Mistakes in `inputs` are reported when the keyword itself is read. */
function withInputs(job: Tree, scope: Scope): Tree {
  const declared = child(job, 'inputs');
  if (job.kind !== 'map' || declared?.kind !== 'map') return job;
  const inputs = jobInputs(declared, { ...scope, problems: new Problems(), keyword: 'inputs' });
  return inputs ? withJobInputs(job, inputs, scope) : job;
}

/** A job is a map with something to do; anything else at the top level is most likely a misspelt keyword. */
function checkJobShape({ key, at, value }: Entry, problems: Problems): boolean {
  if (value.kind === 'map' && WORK.some((keyword) => value.entries.has(keyword))) return true;
  if (key === 'spec') {
    const message = 'spec is a header: it stands at the top of the file, with a line --- below it';
    problems.add('unknown-keyword', at, message);
    return false;
  }
  const suggestion = nearest(key, Object.keys(GLOBAL_KEYWORDS));
  if (value.kind === 'map' && suggestion === undefined) return true;
  const belongsIntoJob = value.kind !== 'map' && Object.hasOwn(JOB_KEYWORDS, key);
  const why = belongsIntoJob
    ? 'belongs into a job, not to the top level'
    : 'is neither a keyword nor a job (a map with script)';
  problems.add('unknown-keyword', at, `${key} ${why}`, suggestion);
  return false;
}
