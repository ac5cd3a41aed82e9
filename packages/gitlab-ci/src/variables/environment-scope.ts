import type { Variable } from '../pipeline.ts';
import { matchesWildcard } from './wildcard.ts';

/**
 * The variables that a job with this environment gets. Without an environment (workflow:rules, include, jobs that name
 * none) only those for all of them. The order stays: of several with the same key whoever lists them puts the one
 * that shall win last.
 */
export function forEnvironment(
  variables: readonly Variable[],
  environment: string | undefined,
): readonly Variable[] {
  const fits = ({ environmentScope: scope = '*' }: Variable) =>
    scope === '*' || (environment !== undefined && matchesWildcard(scope, environment));
  return variables.every(fits) ? variables : variables.filter(fits);
}
