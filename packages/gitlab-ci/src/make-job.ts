import type { JobNames } from './check-needs.ts';
import type { JobKeywords } from './keywords/job.ts';
import type { Rule } from './keywords/rules.ts';
import type { Instance } from './instances.ts';
import type { AllowFailure, Job, Need, Retry, When } from './pipeline.ts';
import type { SelectedJob } from './select-jobs.ts';
import { positionOf } from './tree.ts';
import { expandVariables } from './variables/expand.ts';

const NO_RETRY: Retry = { max: 0, when: [], exitCodes: [] };

/** The job as the runner gets it: everything decided. */
export function makeJob({ instance, rule, scope, environment }: SelectedJob, names: JobNames): Job {
  const { definition } = instance;
  const { keywords } = definition;
  const needs = needsOf(instance, rule, names);
  const expand = (text: string): string => expandVariables(text, scope.expanded);
  return {
    name: instance.name,
    stage: definition.stage,
    position: positionOf(definition.at),
    when: whenOf(keywords, rule),
    startInSeconds: rule?.startInSeconds ?? keywords.start_in,
    allowFailure: allowFailureOf(keywords, rule),
    needs,
    dependencies: names.resolveDependencies(definition, needs),
    image: keywords.image,
    services: keywords.services ?? [],
    ...scriptsOf(keywords),
    variables: scope.own,
    artifacts: keywords.artifacts,
    caches: keywords.cache ?? [],
    environment,
    retry: keywords.retry ?? NO_RETRY,
    timeoutSeconds: keywords.timeout,
    interruptible: isInterruptible(keywords, rule),
    resourceGroup: keywords.resource_group && expand(keywords.resource_group),
    tags: keywords.tags?.map(expand) ?? [],
    coverage: keywords.coverage,
    manualConfirmation: keywords.manual_confirmation,
  };
}

/** A rule's needs replace the job's own. */
function needsOf(instance: Instance, rule: Rule | undefined, names: JobNames): readonly Need[] | undefined {
  const written = rule?.needs ?? instance.definition.keywords.needs;
  return written && names.resolveNeeds(instance.definition, written);
}

const isInterruptible = (keywords: JobKeywords, rule: Rule | undefined): boolean =>
  rule?.interruptible ?? keywords.interruptible ?? false;

function scriptsOf(keywords: JobKeywords): Pick<Job, 'beforeScript' | 'script' | 'afterScript'> {
  return {
    beforeScript: keywords.before_script ?? [],
    script: keywords.script ?? [],
    afterScript: keywords.after_script ?? [],
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
