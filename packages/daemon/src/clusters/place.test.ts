import type { Job, Variable } from '@updraft/gitlab-ci';
import type { Project } from '@updraft/project';
import { describe, expect, it } from 'vitest';
import { placeProject } from './place.ts';
import type { ClusterChoice } from './place.ts';
import type { Target } from './other-clusters.ts';

const OWN_REGISTRY = 'registry.updraft.localhost:5000';
const variable = (key: string, value: string, more: Partial<Variable> = {}): Variable => ({
  key,
  value,
  source: 'project',
  ...more,
});

const CHOICE: ClusterChoice = {
  variablesFor: () => [
    variable('CI_REGISTRY', OWN_REGISTRY),
    variable('CI_REGISTRY_PASSWORD', 'of the embedded registry'),
    variable('CI_DEPLOY_PASSWORD', 'of the embedded registry'),
    variable('CLUSTER_DOMAIN', '10.0.0.1:6443'),
    variable('CERTIFICATE_AUTHORITY_DATA', 'embedded'),
    variable('CLIENT_KEY_DATA', 'embedded'),
    variable('KUBE_DOMAIN', 'updraft.localhost'),
  ],
  ownRegistry: OWN_REGISTRY,
  login: async (registry) =>
    registry === 'known.example.com' ? { username: 'me', password: 'kept' } : undefined,
};

const TARGET: Target = {
  ref: { server: 'k8s.example.com:443', kubeconfig: '/k', context: 'prod' },
  variables: [
    variable('CLUSTER_DOMAIN', 'k8s.example.com:443'),
    variable('CERTIFICATE_AUTHORITY_DATA', 'theirs'),
  ],
};

function projectWith(settings: readonly Variable[], pipeline: readonly Variable[] = []): Project {
  const request = { projectVariables: settings, pipelineVariables: pipeline };
  // What is not looked at is left out.
  return { request, facts: { projectPath: 'Group/App' } } as unknown as Project;
}

const values = (project: Project): Record<string, string> =>
  Object.fromEntries((project.request.projectVariables ?? []).map(({ key, value }) => [key, value]));

const pipelineOf = (...jobs: Partial<Job>[]) => ({ jobs: jobs as Job[] });
const DEPLOYS = pipelineOf({
  script: ['push $CI_REGISTRY_IMAGE'],
  environment: { url: 'http://$KUBE_DOMAIN' } as NonNullable<Job['environment']>,
});

describe('without another cluster', () => {
  it('the embedded one is what jobs know, and nothing is missing', async () => {
    const { project, cluster, requireComplete } = await placeProject(projectWith([]), undefined, CHOICE);
    expect(cluster).toBeUndefined();
    expect(values(project)).toMatchObject({ KUBE_DOMAIN: 'updraft.localhost', CLIENT_KEY_DATA: 'embedded' });
    expect(() => requireComplete(DEPLOYS)).not.toThrow();
  });
});

describe('a kubeconfig', () => {
  it('gives jobs its cluster, and nothing of the embedded one', async () => {
    const settings = [
      variable('CI_REGISTRY', 'known.example.com'),
      variable('KUBE_DOMAIN', 'apps.example.com'),
    ];
    const { project, cluster, requireComplete } = await placeProject(projectWith(settings), TARGET, CHOICE);
    expect(cluster).toEqual(TARGET.ref);
    expect(values(project)).toEqual({
      CLUSTER_DOMAIN: 'k8s.example.com:443',
      CERTIFICATE_AUTHORITY_DATA: 'theirs',
      CI_REGISTRY: 'known.example.com',
      CI_REGISTRY_IMAGE: 'known.example.com/group/app',
      CI_REGISTRY_USER: 'me',
      CI_REGISTRY_PASSWORD: 'kept',
      KUBE_DOMAIN: 'apps.example.com',
    });
    expect(project.request.projectVariables?.filter(({ masked }) => masked).map(({ key }) => key)).toEqual([
      'CI_REGISTRY_PASSWORD',
    ]);
    expect(() => requireComplete(DEPLOYS)).not.toThrow();
  });

  it('needs what nobody here can know, all told at once', async () => {
    const { requireComplete } = await placeProject(projectWith([]), TARGET, CHOICE);
    expect(() => requireComplete(DEPLOYS)).toThrow(
      'to deploy to the cluster prod this pipeline needs CI_REGISTRY, KUBE_DOMAIN',
    );
    expect(() => requireComplete(pipelineOf({ script: ['kubectl get pods'] }))).not.toThrow();
  });

  it('needs the login of a registry that nobody has signed in to', async () => {
    const given = [variable('CI_REGISTRY', 'other.example.com'), variable('KUBE_DOMAIN', 'x')];
    const { requireComplete } = await placeProject(projectWith([], given), TARGET, CHOICE);
    expect(() => requireComplete(DEPLOYS)).toThrow('needs CI_REGISTRY_USER, CI_REGISTRY_PASSWORD');
  });

  it('cannot use the embedded registry', async () => {
    const given = [variable('CI_REGISTRY', OWN_REGISTRY)];
    const { requireComplete } = await placeProject(projectWith(given), TARGET, CHOICE);
    expect(() => requireComplete(DEPLOYS)).toThrow(
      'the cluster prod cannot reach registry.updraft.localhost:5000',
    );
  });
});

describe('variables that describe a cluster', () => {
  it('keep the embedded one’s away, and ask for the same', async () => {
    const given = [variable('CLUSTER_DOMAIN', 'https://k8s.example.com/', { source: 'pipeline' })];
    const { project, cluster, requireComplete } = await placeProject(
      projectWith([], given),
      undefined,
      CHOICE,
    );
    expect(cluster).toEqual({ server: 'k8s.example.com:6443' });
    expect(values(project)).toEqual({});
    expect(() => requireComplete(DEPLOYS)).toThrow('needs CI_REGISTRY, KUBE_DOMAIN');
  });

  it('of one environment keep the embedded one’s away from that alone', async () => {
    const settings = [variable('CLUSTER_DOMAIN', 'k8s.example.com', { environmentScope: 'production' })];
    const { project, cluster } = await placeProject(projectWith(settings), undefined, CHOICE);
    expect(cluster).toBeUndefined();
    const scoped = project.request.projectVariables?.filter((each) => each.environmentScope === 'production');
    expect(scoped?.map(({ key, value }) => [key, value])).toEqual([
      ['CLUSTER_DOMAIN', ''],
      ['CERTIFICATE_AUTHORITY_DATA', ''],
      ['CLIENT_CERTIFICATE_DATA', ''],
      ['CLIENT_KEY_DATA', ''],
      ['CLUSTER_TOKEN', ''],
      ['KUBE_DOMAIN', ''],
      ['CLUSTER_DOMAIN', 'k8s.example.com'],
    ]);
    expect(values(project)['CI_REGISTRY']).toBe(OWN_REGISTRY);
  });
});
