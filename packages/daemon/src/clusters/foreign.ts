import type { Job, Pipeline, Variable } from '@updraft/gitlab-ci';
import { RequestError } from '../server/router.ts';
import { CLUSTER_VARIABLES } from './playbook-variables.ts';

/**
 * The platform's own variables, less those that belong to its cluster wherever the user's settings name another API
 * server: half of one cluster's credentials with the address of another leads nowhere, or to the wrong one.
 */
export function withoutMixing(platform: readonly Variable[], user: readonly Variable[]): readonly Variable[] {
  const scopes = user
    .filter(({ key, value }) => key === 'CLUSTER_DOMAIN' && value !== '')
    .map(({ environmentScope = '*' }) => environmentScope);
  if (scopes.includes('*')) return platform.filter(({ key }) => !isOfPlatform(key));
  const blanks = [...new Set(scopes)].flatMap((environmentScope) =>
    [...CLUSTER_VARIABLES, 'KUBE_DOMAIN'].map((key): Variable => ({
      key,
      value: '',
      raw: true,
      source: 'project',
      environmentScope,
    })),
  );
  return [...platform, ...blanks];
}

const REGISTRY_VARIABLES = ['CI_REGISTRY', 'CI_REGISTRY_IMAGE', 'CI_REGISTRY_USER', 'CI_REGISTRY_PASSWORD'];
const DEPLOY_VARIABLES = ['CI_DEPLOY_USER', 'CI_DEPLOY_PASSWORD'];

const isOfPlatform = (key: string): boolean =>
  [...CLUSTER_VARIABLES, 'KUBE_DOMAIN', ...REGISTRY_VARIABLES, ...DEPLOY_VARIABLES].includes(key);

/** What was given for a run that deploys elsewhere. */
export interface Given {
  /** The cluster, as people call it. */
  readonly cluster: string;
  readonly variables: readonly Variable[];
  /** `host:port` of the embedded registry, which only this machine reaches. */
  readonly ownRegistry: string;
}

/**
 * Whether a pipeline has what another cluster needs and this machine cannot know; all that is missing is told at once.
 * @throws RequestError CLUSTER_VARIABLES_MISSING, REGISTRY_NOT_REACHABLE
 */
export function requireForeign(pipeline: Pick<Pipeline, 'jobs'>, given: Given): void {
  const { cluster, variables, ownRegistry } = given;
  const valuesOf = (key: string) =>
    variables.filter((each) => each.key === key && each.value !== '').map(({ value }) => value);
  const has = (key: string) => valuesOf(key).length > 0;
  if (valuesOf('CI_REGISTRY').includes(ownRegistry)) {
    throw new RequestError(
      400,
      'REGISTRY_NOT_REACHABLE',
      `${cluster} cannot reach ${ownRegistry}, the embedded registry`,
      {
        next: REGISTRY_NEXT,
      },
    );
  }
  const missing: string[] = [];
  if (isNamed(pipeline.jobs, /\bCI_REGISTRY(_|\b)/) && !has('CI_REGISTRY')) missing.push('CI_REGISTRY');
  else if (has('CI_REGISTRY')) missing.push(...REGISTRY_VARIABLES.filter((key) => !has(key)));
  if (needsDomain(pipeline.jobs) && !has('KUBE_DOMAIN')) missing.push('KUBE_DOMAIN');
  if (missing.length === 0) return;
  const reasons = [
    ...(missing.includes('KUBE_DOMAIN') ? ['KUBE_DOMAIN=HOST, whose names lead to its ingress'] : []),
    ...(missing.some((key) => key.startsWith('CI_REGISTRY')) ? [REGISTRY_NEXT] : []),
  ];
  throw new RequestError(
    400,
    'CLUSTER_VARIABLES_MISSING',
    `to deploy to ${cluster} this pipeline needs ${missing.join(', ')}`,
    { next: `Give them as --variable or in .updraft/variables.yml: ${reasons.join('; ')}.` },
  );
}

const REGISTRY_NEXT =
  'CI_REGISTRY=HOST of a registry that both this machine and the cluster reach, with CI_REGISTRY_USER and ' +
  'CI_REGISTRY_PASSWORD unless updraft image login has them';

const isNamed = (jobs: readonly Job[], name: RegExp): boolean =>
  jobs.some((job) => name.test(JSON.stringify(job)));

/** Playbooks read it from their environment: an address that is made of it tells. */
const needsDomain = (jobs: readonly Job[]): boolean =>
  jobs.some((job) => /\bKUBE_DOMAIN\b/.test(JSON.stringify([job.environment?.url ?? '', job.script])));
