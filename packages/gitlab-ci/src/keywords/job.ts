import { allowFailure, coverage, inherit, parallel, retry } from './behaviour.ts';
import { artifacts, caches } from './artifacts.ts';
import { delay, duration, filledScript, jobVariableDefinitions, script } from './common.ts';
import { dastConfiguration, identity } from './elsewhere.ts';
import { environment } from './environment.ts';
import { image, services } from './image.ts';
import { jobInputs } from './job-inputs.ts';
import { needs } from './needs.ts';
import {
  filledText,
  flag,
  flatListOf,
  mapped,
  notNull,
  oneOf,
  oneOrList,
  record,
  report,
  text,
} from './readers.ts';
import type { Read, Reader } from './readers.ts';
import type { Mark } from '../tree.ts';
import { pages, release } from './release.ts';
import { except, jobRules, only } from './rules.ts';
import { idTokens, secrets } from './secrets.ts';
import { run } from './steps.ts';
import { trigger } from './trigger.ts';

const MAX_TAGS = 50;

const tags: Reader<readonly string[]> = mapped(flatListOf(filledText), (all, tree, scope) => {
  if (all.length <= MAX_TAGS) return all;
  return report(
    scope,
    'invalid-value',
    tree.at,
    `tags has ${all.length} entries, at most ${MAX_TAGS} are allowed`,
  );
});

/** The name of a job, and where it stands. */
export interface Mention {
  readonly name: string;
  readonly at: Mark;
}

const mention: Reader<Mention> = mapped(text, (name, tree) => ({ name, at: tree.at }));
const dependencies = flatListOf(mention);

/** Keywords that `default:` may hold too. */
export const DEFAULT_KEYWORDS = {
  after_script: script,
  artifacts,
  before_script: script,
  cache: caches,
  hooks: record({ pre_get_sources_script: script }),
  id_tokens: idTokens,
  identity,
  image,
  interruptible: flag,
  retry,
  services,
  tags,
  timeout: duration,
};

/** Every keyword of a job and how it is read. A new keyword is a new line here. */
export const JOB_KEYWORDS = {
  ...DEFAULT_KEYWORDS,
  allow_failure: allowFailure,
  coverage,
  dast_configuration: dastConfiguration,
  dependencies,
  environment,
  except,
  inherit,
  inputs: jobInputs,
  manual_confirmation: text,
  needs,
  only,
  pages,
  parallel,
  publish: filledText,
  release,
  resource_group: filledText,
  rules: jobRules,
  run,
  script: filledScript,
  secrets,
  stage: filledText,
  start_in: delay,
  trigger,
  variables: jobVariableDefinitions,
  when: oneOf('on_success', 'on_failure', 'always', 'manual', 'delayed', 'never'),
} as const;

export const jobFields = record(JOB_KEYWORDS, { isShared: true });
export type JobKeywords = Read<typeof jobFields>;

const writtenFields = record({
  ...JOB_KEYWORDS,
  extends: oneOrList(filledText, { max: 11 }),
  // The server takes an empty value for an absent one, the editor's schema does not.
  image: notNull(image),
  services: notNull(services),
});

/** A job as written, before `extends` is resolved. */
export const unextendedFields: Reader<JobKeywords> = writtenFields;

export const defaultFields = record(DEFAULT_KEYWORDS);
