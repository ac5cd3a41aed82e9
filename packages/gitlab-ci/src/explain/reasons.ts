import type { CommitFacts, Position } from '../pipeline.ts';
import type { FilterTrace, PathsTrace, RuleTrace, RulesTrace } from './explanation.ts';

export const placeOf = ({ file, line }: Position): string => `${file}:${line}`;

/** `the branch main`, as it is said in a sentence. */
export function pipelineKind({ branch, tag, mergeRequest }: CommitFacts, source: string): string {
  if (mergeRequest) return `a merge request of ${mergeRequest.sourceBranch} to ${mergeRequest.targetBranch}`;
  const ref = tag === undefined ? `the branch ${branch}` : `the tag ${tag}`;
  return source === 'push' ? ref : `${ref} (source ${source})`;
}

/** Why the rules let a job in or not; `own`: what the job itself says of `when`. */
export function rulesReason({ outcome, rules }: RulesTrace, own: string | undefined): string {
  const deciding = rules.find(({ holds }) => holds);
  if (outcome === 'none' || !deciding) {
    if (rules.length === 0) return 'its list of rules is empty, so none holds';
    return rules.length === 1 ? 'its only rule does not hold' : `none of its ${rules.length} rules holds`;
  }
  const which = `rule ${deciding.number} of ${rules.length} (${placeOf(deciding.position)})`;
  if (outcome === 'never') return `${which} holds and says when: never: ${conditionOf(deciding)}`;
  if (own === 'never' && deciding.sets.when === undefined) {
    return `${which} holds, but the job says when: never`;
  }
  return `${which} holds: ${conditionOf(deciding)}`;
}

/** A rule's conditions in short. */
export function conditionOf({ condition, changes, exists }: RuleTrace): string {
  const parts = [condition?.text, pathsOf(changes), pathsOf(exists)].filter((part) => part !== undefined);
  return parts.length === 0 ? 'it has no condition' : parts.join(', and ');
}

function pathsOf(paths: PathsTrace | undefined): string | undefined {
  if (!paths) return undefined;
  if (paths.match) {
    return paths.keyword === 'changes'
      ? `${paths.match.path} changed, which fits ${paths.match.pattern}`
      : `${paths.match.path} exists, which fits ${paths.match.pattern}`;
  }
  return `${paths.keyword} of ${[...paths.patterns, ...paths.regexps].join(', ')}`;
}

/** Why `only` and `except` let a job in or not. */
export function filtersReason(filters: readonly FilterTrace[], isIn: boolean, pipeline: string): string {
  if (filters.length === 0) return 'it has no rules, only or except, so it is in every pipeline';
  const [assumed] = filters.filter(({ position }) => position === undefined);
  if (assumed && filters.length === 1) {
    return `it has no rules, only or except: such jobs are for branches and tags, and this is ${pipeline}`;
  }
  for (const { keyword, conditions } of filters) {
    const against = conditions.find(({ holds }) => holds === (keyword === 'except'));
    if (isIn || !against) continue;
    const entries = against.entries
      .filter(({ holds }) => holds || keyword === 'only')
      .map(({ text }) => text);
    const verb = keyword === 'only' ? 'does not fit' : 'fits';
    return `${keyword}:${against.keyword} (${entries.join(', ')}) ${verb} ${pipeline}`;
  }
  return `${filters.map(({ keyword }) => (keyword === 'only' ? 'only fits' : 'except does not fit')).join(', and ')} ${pipeline}`;
}
