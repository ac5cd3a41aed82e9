import { evaluate, isTruthy } from './expression/evaluate.ts';
import { compileRegex, patternBody } from './expression/regex.ts';
import { fileMatcher } from './globs.ts';
import { IMPLICIT_REFS } from './keywords/rules.ts';
import type { Filter } from './keywords/rules.ts';
import type { RuleContext } from './conditions.ts';

/** How the pipeline came about, as `only` and `except` ask. */
export interface PipelineOrigin {
  readonly source: string;
  readonly branch: string | undefined;
  readonly tag: string | undefined;
  /** For `branches@group/project`. */
  readonly projectPath: string;
}

/** `only` keywords that are a pipeline's source under another name. */
const SOURCES: Readonly<Record<string, string>> = {
  api: 'api',
  chat: 'chat',
  external: 'external',
  external_pull_requests: 'external_pull_request_event',
  merge_requests: 'merge_request_event',
  pipelines: 'pipeline',
  pushes: 'push',
  schedules: 'schedule',
  triggers: 'trigger',
  web: 'web',
};

/** Without rules, only, except and workflow:rules a job is for branches and tags. */
export const IMPLICIT_ONLY: Filter = { refs: IMPLICIT_REFS, variables: undefined, changes: undefined };

/** The conditions of `only` must all hold, of `except` none; within one, any entry is enough. */
export function passesFilters(
  only: Filter | undefined,
  except: Filter | undefined,
  scene: { readonly context: RuleContext; readonly origin: PipelineOrigin },
): boolean {
  const wanted = conditionsOf(only, scene.context, scene.origin);
  const unwanted = conditionsOf(except, scene.context, scene.origin);
  return wanted.every((condition) => condition()) && !unwanted.some((condition) => condition());
}

function conditionsOf(
  filter: Filter | undefined,
  context: RuleContext,
  origin: PipelineOrigin,
): (() => boolean)[] {
  if (!filter) return [];
  const { refs, variables, changes, kubernetes } = filter;
  const conditions: (() => boolean)[] = [];
  if (kubernetes) conditions.push(() => context.variable('CI_KUBERNETES_ACTIVE') === 'true');
  if (refs) conditions.push(() => refs.some((ref) => refMatches(ref, origin)));
  if (variables) conditions.push(() => variables.some((one) => isTruthy(evaluate(one, context))));
  if (changes) {
    conditions.push(() => {
      const matchers = changes.map(fileMatcher);
      return (
        context.changedPaths === undefined ||
        context.changedPaths.some((path) => matchers.some((one) => one(path)))
      );
    });
  }
  return conditions;
}

/** `main@group/project`, `/^v/i@group/project`. */
const REF_OF_PROJECT = /^(\/[^]*\/[ismU]*|[^@]*)@([^@]*)$/;

export function refMatches(pattern: string, origin: PipelineOrigin): boolean {
  const [, ref = pattern, project] = REF_OF_PROJECT.exec(pattern) ?? [];
  if (project !== undefined && project !== origin.projectPath) return false;
  return refHolds(ref, origin);
}

function refHolds(ref: string, origin: PipelineOrigin): boolean {
  const fromRequest = /^(?:merge_request|external_pull_request)_event$/.test(origin.source);
  if (ref === 'branches') return origin.tag === undefined && !fromRequest;
  if (ref === 'tags') return origin.tag !== undefined;
  const expected = Object.hasOwn(SOURCES, ref) ? SOURCES[ref] : undefined;
  if (expected !== undefined) return expected === origin.source;
  return !fromRequest && nameMatches(ref, origin.tag ?? origin.branch ?? '');
}

function nameMatches(ref: string, name: string): boolean {
  const body = patternBody(ref);
  if (body === undefined) return ref === name;
  const regex = compileRegex(body);
  return typeof regex !== 'string' && regex.occursIn(name);
}
