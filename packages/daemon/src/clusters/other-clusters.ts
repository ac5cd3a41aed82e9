import type { Clock } from '@updraft/kit';
import type { Variable } from '@updraft/gitlab-ci';
import { ClusterCredentials, PodsFault, inClusterAccess, readKubeconfig } from '@updraft/pods';
import type { ClusterAccess } from '@updraft/pods';
import type { ClusterRef } from '@updraft/runner';
import { SECRET_VARIABLES, clusterDomain, playbookVariables } from './playbook-variables.ts';

type Env = Readonly<Record<string, string>>;

export interface OtherClustersParts {
  readonly clock: Clock;
  /** The daemon's own: where no client has said better. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A cluster that a run was pointed at. */
export interface Target {
  readonly ref: ClusterRef;
  /** For the pipeline; without what must not be kept. */
  readonly variables: readonly Variable[];
}

/** Clusters beside the embedded one. Their credentials are asked for when they are used and kept nowhere. */
export class OtherClusters {
  readonly #parts: OtherClustersParts;
  /** Of whoever named a kubeconfig last: its exec plugins may live by variables of the user's. */
  readonly #environments = new Map<string, Env>();

  constructor(parts: OtherClustersParts) {
    this.#parts = parts;
  }

  /** @throws PodsFault KUBECONFIG_INVALID, KUBECONFIG_UNSUPPORTED, CLUSTER_CREDENTIALS */
  async target(kubeconfig: string, context: string | undefined, env: Env | undefined): Promise<Target> {
    if (env) this.#environments.set(kubeconfig, env);
    const access = await readKubeconfig(kubeconfig, context);
    const ref: ClusterRef = { server: clusterDomain(access), kubeconfig, context: access.name };
    const variables = await this.variables(ref);
    return { ref, variables: variables.filter(({ key }) => !SECRET_VARIABLES.has(key)) };
  }

  /** What jobs know a cluster by, now. Nothing for one that the run's own variables describe. */
  async variables(ref: ClusterRef): Promise<readonly Variable[]> {
    if (ref.kubeconfig === undefined && !ref.inCluster) return [];
    const { access, credentials } = await this.#reach(ref);
    return playbookVariables(access, await credentials.current());
  }

  async #reach(ref: ClusterRef): Promise<{ access: ClusterAccess; credentials: ClusterCredentials }> {
    const access = await this.#access(ref);
    const env = this.#environments.get(ref.kubeconfig ?? '') ?? defined(this.#parts.env);
    return { access, credentials: new ClusterCredentials(access, { clock: this.#parts.clock, env }) };
  }

  async #access(ref: ClusterRef): Promise<ClusterAccess> {
    if (ref.kubeconfig !== undefined) return readKubeconfig(ref.kubeconfig, ref.context);
    const access = await inClusterAccess(this.#parts.env);
    if (access) return access;
    throw new PodsFault('CLUSTER_CREDENTIALS', 'this machine is no pod of a cluster', {
      next: 'Name a cluster: --kubeconfig FILE.',
    });
  }
}

const defined = (env: Readonly<Record<string, string | undefined>>): Env =>
  Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
