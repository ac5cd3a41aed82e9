import type { JobNames } from './check-needs.ts';
import type { RuleContext } from './conditions.ts';
import type { JobDefinition } from './configuration.ts';
import { needsOfInstance } from './instances.ts';
import type { Instance } from './instances.ts';
import type { JobKeywords } from './keywords/job.ts';
import type { Rule } from './keywords/rules.ts';
import { makeTrigger } from './make-trigger.ts';
import { pagesOf, withPublished } from './pages.ts';
import type { AllowFailure, Job, Need, Retry, When } from './pipeline.ts';
import type { SelectedJob } from './select-jobs.ts';
import { positionOf } from './tree.ts';
import { expandVariables } from './variables/expand.ts';
import type { VariableScope } from './variables/scope.ts';

const NO_RETRY: Retry = { max: 0, when: [], exitCodes: [] };
const NOTHING: readonly never[] = [];

/** The job as the runner gets it: everything decided. */
export function makeJob(selected: SelectedJob, names: JobNames): Job {
  const { instance, rule, scope, environment, context } = selected;
  const { definition } = instance;
  const { keywords } = definition;
  const needs = needsOf(instance, rule, names);
  return {
    name: instance.name,
    stage: definition.stage,
    position: positionOf(definition.at),
    when: whenOf(keywords, rule),
    startInSeconds: rule?.startInSeconds ?? keywords.start_in,
    allowFailure: allowFailureOf(keywords, rule),
    needs,
    dependencies: names.resolveDependencies(definition, needs, rule?.needs !== undefined),
    image: keywords.image,
    services: keywords.services ?? NOTHING,
    ...scriptsOf(keywords),
    variables: scope.own,
    caches: keywords.cache ?? NOTHING,
    environment,
    ...behaviourOf(keywords, rule, scope),
    ...publicationOf(definition),
    ...rareOf(instance, context),
  };
}

type Behaviour = Pick<
  Job,
  'retry' | 'timeoutSeconds' | 'interruptible' | 'resourceGroup' | 'tags' | 'coverage' | 'manualConfirmation'
>;

function behaviourOf(keywords: JobKeywords, rule: Rule | undefined, scope: VariableScope): Behaviour {
  const expand = (text: string): string => expandVariables(text, scope.expanded);
  return {
    retry: keywords.retry ?? NO_RETRY,
    timeoutSeconds: keywords.timeout,
    interruptible: rule?.interruptible ?? keywords.interruptible ?? false,
    resourceGroup: keywords.resource_group && expand(keywords.resource_group),
    tags: keywords.tags?.map(expand) ?? NOTHING,
    coverage: keywords.coverage,
    manualConfirmation: keywords.manual_confirmation,
  };
}

function publicationOf(definition: JobDefinition): Pick<Job, 'artifacts' | 'pages'> {
  const { artifacts } = definition.keywords;
  const pages = pagesOf(definition);
  return pages ? { artifacts: withPublished(artifacts, pages.publish), pages } : { artifacts };
}

type Rare = Pick<Job, 'trigger' | 'preGetSources' | 'release' | 'requiredSecrets' | 'steps' | 'foreignNeeds'>;

/** What few jobs have; absent in all others. */
function rareOf({ definition }: Instance, context: RuleContext): Rare {
  const { keywords, foreignNeeds } = definition;
  const { trigger, hooks, release, run } = keywords;
  const secrets = requiredSecrets(keywords);
  return {
    ...(trigger ? { trigger: makeTrigger(trigger, context) } : {}),
    ...(hooks?.pre_get_sources_script ? { preGetSources: hooks.pre_get_sources_script } : {}),
    ...(release ? { release } : {}),
    ...(secrets.length > 0 ? { requiredSecrets: secrets } : {}),
    ...(run ? { steps: run } : {}),
    ...(foreignNeeds.length > 0 ? { foreignNeeds } : {}),
  };
}

function requiredSecrets({ secrets, id_tokens: tokens }: JobKeywords): NonNullable<Job['requiredSecrets']> {
  if (!secrets && !tokens) return NOTHING;
  return [...(secrets ?? []), ...(tokens ?? [])];
}

/** A rule's needs replace the job's own. */
function needsOf(instance: Instance, rule: Rule | undefined, names: JobNames): readonly Need[] | undefined {
  const written = rule?.needs ?? instance.definition.keywords.needs;
  return written && names.resolveNeeds(instance.definition, needsOfInstance(instance, written));
}

function scriptsOf(keywords: JobKeywords): Pick<Job, 'beforeScript' | 'script' | 'afterScript'> {
  return {
    beforeScript: keywords.before_script ?? NOTHING,
    script: keywords.script ?? NOTHING,
    afterScript: keywords.after_script ?? NOTHING,
  };
}

function whenOf(keywords: JobKeywords, rule: Rule | undefined): When {
  const when = rule?.when ?? keywords.when ?? 'on_success';
  return when === 'never' ? 'on_success' : when;
}

/** A manual job is optional when the job says `when: manual`, and blocks when only a rule does. */
function allowFailureOf(keywords: JobKeywords, rule: Rule | undefined): AllowFailure {
  return rule?.allowFailure ?? keywords.allow_failure ?? keywords.when === 'manual';
}
