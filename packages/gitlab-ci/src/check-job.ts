import type { JobDefinition } from './configuration.ts';
import { report } from './keywords/readers.ts';
import type { Scope } from './keywords/readers.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { isNull } from './tree.ts';
import type { Entry, MapTree } from './tree.ts';

/** One of these makes a map a job. */
export const WORK = ['script', 'run', 'trigger'];
const RESERVED = new Set(['types', 'true', 'false', 'nil']);
const MAX_NAME = 255;

interface CheckContext {
  readonly allStages: readonly string[];
  readonly problems: Problems;
}

/** What a job's keywords say together, each of them read before. */
export function checkJob(entry: Entry, job: JobDefinition, context: CheckContext): void {
  const scope: Scope = { problems: context.problems, subject: `job ${entry.key}`, keyword: '' };
  if (RESERVED.has(entry.key) || entry.key === '' || entry.key.length > MAX_NAME) {
    const why = `a job may not be named so (reserved, empty or over ${MAX_NAME} characters)`;
    report(scope, 'invalid-name', entry.at, why);
  }
  if (!context.allStages.includes(job.stage)) reportStage(entry, job.stage, context);
  if (entry.value.kind !== 'map') return;
  const read: ReadJob = { job, scope, tree: entry.value };
  checkWork(read);
  checkRules(read);
  checkDelay(read);
}

function reportStage(entry: Entry, stage: string, { allStages, problems }: CheckContext): void {
  const written = entry.value.kind === 'map' ? entry.value.entries.get('stage')?.value : undefined;
  // A job that could not be put together may miss the stage that it extends.
  if (!written && problems.isWithheld('missing-keyword')) return;
  const how = written
    ? `the stage ${stage} does not exist`
    : `it names no stage, and the default one, ${stage}, does not exist`;
  const message = `job ${entry.key}: ${how}; there are ${allStages.join(', ')}`;
  problems.add('unknown-stage', written?.at ?? entry.at, message, () => nearest(stage, allStages));
}

interface ReadJob {
  readonly job: JobDefinition;
  readonly tree: MapTree;
  readonly scope: Scope;
}

const given = (tree: MapTree, key: string): Entry | undefined => {
  const entry = tree.entries.get(key);
  return entry && !isNull(entry.value) ? entry : undefined;
};

function checkWork({ job, tree, scope }: ReadJob): void {
  const work = WORK.filter((key) => given(tree, key));
  if (work.length > 1)
    report(scope, 'conflicting-keywords', job.at, `${work.join(' and ')} exclude each other`);
  if (work.length === 1 && work[0] === 'trigger') checkTrigger({ job, tree, scope });
  if (work.length > 0) return;
  const mirrored = job.foreignNeeds.find((need) => need.kind === 'pipeline' && need.job === undefined);
  if (!mirrored) report(scope, 'missing-keyword', job.at, 'script is missing');
  else {
    const message = `needs:pipeline follows the pipeline of ${mirrored.source}, which is not here: the job does nothing`;
    report(scope, 'unsupported-keyword', job.at, message);
  }
}

/** Keywords of jobs that run something themselves. */
const NOT_BESIDE_TRIGGER = [
  'after_script',
  'artifacts',
  'before_script',
  'cache',
  'coverage',
  'dependencies',
  'hooks',
  'id_tokens',
  'image',
  'pages',
  'release',
  'retry',
  'secrets',
  'services',
  'start_in',
  'tags',
  'timeout',
];

function checkTrigger({ job, tree, scope }: ReadJob): void {
  for (const key of NOT_BESIDE_TRIGGER) {
    const entry = given(tree, key);
    if (entry) report(scope, 'conflicting-keywords', entry.at, `trigger and ${key} exclude each other`);
  }
  if (job.keywords.when === 'delayed') {
    report(scope, 'conflicting-keywords', job.at, 'trigger and when: delayed exclude each other');
  }
}

function checkRules({ tree, scope }: ReadJob): void {
  if (!given(tree, 'rules')) return;
  for (const key of ['only', 'except']) {
    const entry = given(tree, key);
    if (entry) report(scope, 'conflicting-keywords', entry.at, `rules and ${key} exclude each other`);
  }
}

function checkDelay({ job, tree, scope }: ReadJob): void {
  const { keywords, at } = job;
  const startIn = tree.entries.get('start_in');
  if (keywords.when === 'delayed' && !startIn) {
    report(scope, 'missing-keyword', at, 'when: delayed needs start_in');
  }
  if (keywords.when !== 'delayed' && startIn && !keywords.rules && !isNull(startIn.value)) {
    report(scope, 'conflicting-keywords', startIn.at, 'start_in is for when: delayed only');
  }
}
