import type { Pipeline, Variable } from '@updraft/gitlab-ci';
import type { Credentials } from '@updraft/oci';
import type { Project } from '@updraft/project';
import type { ClusterRef } from '@updraft/runner';
import { requireForeign, withoutMixing } from './foreign.ts';
import type { Target } from './other-clusters.ts';

/** What has to be known to choose a run's cluster. */
export interface ClusterChoice {
  /** The embedded cluster and registry, as jobs know them. */
  readonly variablesFor: (projectPath: string) => readonly Variable[];
  /** `host:port` of the embedded registry. */
  readonly ownRegistry: string;
  /** What `updraft image login` or Docker has kept for a registry. */
  login(registry: string): Promise<Credentials | undefined>;
}

/** A project with the settings of the cluster that it is deployed to. */
export interface Placed {
  readonly project: Project;
  /** undefined: the embedded one. */
  readonly cluster: ClusterRef | undefined;
  /** @throws RequestError CLUSTER_VARIABLES_MISSING, REGISTRY_NOT_REACHABLE */
  requireComplete(pipeline: Pick<Pipeline, 'jobs'>): void;
}

/**
 * Gives a project, read without any, the variables of its cluster: of the one that was named, or of the one that its own
 * variables describe, else of the embedded one.
 */
export async function placeProject(
  read: Project,
  target: Target | undefined,
  choice: ClusterChoice,
): Promise<Placed> {
  const user = read.request.projectVariables ?? [];
  const given = [...user, ...(read.request.pipelineVariables ?? [])];
  const cluster = target?.ref ?? described(given);
  const platform = cluster
    ? [...(target?.variables ?? []), ...(await registryVariables(read, given, choice))]
    : withoutMixing(choice.variablesFor(read.facts.projectPath), given);
  const variables = [...platform, ...user];
  const project = { ...read, request: { ...read.request, projectVariables: variables } };
  return {
    project,
    cluster,
    requireComplete: (pipeline) => {
      if (!cluster) return;
      const all = [...platform, ...given];
      const name = cluster.context === undefined ? cluster.server : `the cluster ${cluster.context}`;
      requireForeign(pipeline, { cluster: name, variables: all, ownRegistry: choice.ownRegistry });
    },
  };
}

/** The strongest that holds for every environment. */
const everywhere = (variables: readonly Variable[], key: string): string | undefined =>
  variables.findLast((each) => each.key === key && (each.environmentScope ?? '*') === '*')?.value ||
  undefined;

/** The project's own variables name an API server. */
function described(given: readonly Variable[]): ClusterRef | undefined {
  const domain = everywhere(given, 'CLUSTER_DOMAIN')
    ?.replace(/^https:\/\//, '')
    .replace(/\/+$/, '');
  if (domain === undefined) return undefined;
  return { server: /:[0-9]+$/.test(domain) ? domain : `${domain}:6443` };
}

/** What GitLab would add to the registry that the user has named. */
async function registryVariables(
  { facts }: Project,
  given: readonly Variable[],
  { login, ownRegistry }: ClusterChoice,
): Promise<readonly Variable[]> {
  const registry = everywhere(given, 'CI_REGISTRY');
  if (registry === undefined || registry === ownRegistry) return [];
  const known = await login(registry);
  const variable = (key: string, value: string): Variable => ({ key, value, raw: true, source: 'project' });
  return [
    variable('CI_REGISTRY_IMAGE', `${registry}/${facts.projectPath.toLowerCase()}`),
    ...(known
      ? [
          variable('CI_REGISTRY_USER', known.username),
          { ...variable('CI_REGISTRY_PASSWORD', known.password), masked: true },
        ]
      : []),
  ];
}
