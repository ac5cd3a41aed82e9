import path from 'node:path';
import { KeyedLock, codeOf, messageOf, readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import type { Variable } from '@updraft/gitlab-ci';
import {
  ClusterCredentials,
  PodsFault,
  createKubernetesRuntime,
  inClusterAccess,
  readKubeconfig,
} from '@updraft/pods';
import type { ClusterAccess, KubernetesRuntime, Runtime } from '@updraft/pods';
import type { ClusterRef, ClusterSource } from '@updraft/runner';
import { SECRET_VARIABLES, clusterDomain, playbookVariables } from './playbook-variables.ts';

type Env = Readonly<Record<string, string>>;

export interface OtherClustersParts {
  /** Of the platform. */
  readonly id: string;
  readonly home: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The daemon's own: where no client has said better. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A cluster that a run was pointed at. */
export interface Target {
  readonly ref: ClusterRef;
  /** For the pipeline; without what must not be kept. */
  readonly variables: readonly Variable[];
}

/** Has `sh` and `tar`; UPDRAFT_HELPER_IMAGE names another. */
const HELPER_IMAGE = 'docker.io/library/debian:bookworm-slim';

/** Clusters beside the embedded one. Their credentials are asked for when they are used and kept nowhere. */
export class OtherClusters implements ClusterSource {
  readonly #parts: OtherClustersParts;
  readonly #lock = new KeyedLock();
  /** Of whoever named a kubeconfig last: its exec plugins may live by variables of the user's. */
  readonly #environments = new Map<string, Env>();
  readonly #runtimes = new Map<
    string,
    { readonly made: Promise<KubernetesRuntime>; runtime?: KubernetesRuntime }
  >();

  constructor(parts: OtherClustersParts) {
    this.#parts = parts;
  }

  /** @throws PodsFault KUBECONFIG_INVALID, KUBECONFIG_UNSUPPORTED, CLUSTER_CREDENTIALS */
  async target(kubeconfig: string, context: string | undefined, env: Env | undefined): Promise<Target> {
    if (env) this.#environments.set(kubeconfig, env);
    const access = await readKubeconfig(kubeconfig, context);
    return this.#target({ server: clusterDomain(access), kubeconfig, context: access.name });
  }

  /** The cluster that this machine is a pod of. @throws PodsFault CLUSTER_CREDENTIALS when it is none */
  async ownTarget(): Promise<Target> {
    const access = await this.#access({ server: '', inCluster: true });
    return this.#target({ server: clusterDomain(access), inCluster: true });
  }

  async #target(ref: ClusterRef): Promise<Target> {
    const variables = await this.variables(ref);
    return { ref, variables: variables.filter(({ key }) => !SECRET_VARIABLES.has(key)) };
  }

  /** What jobs know a cluster by, now. Nothing for one that the run's own variables describe. */
  async variables(ref: ClusterRef): Promise<readonly Variable[]> {
    if (ref.kubeconfig === undefined && !ref.inCluster) return [];
    const { access, credentials } = await this.#reach(ref);
    return playbookVariables(access, await credentials.current());
  }

  /** One for each cluster, as long as this process lives. */
  runtime(ref: ClusterRef): Promise<Runtime> {
    const key = JSON.stringify([ref.kubeconfig, ref.context, ref.inCluster === true]);
    const known = this.#runtimes.get(key);
    if (known) return known.made;
    const made = this.#makeRuntime(ref);
    const entry: { readonly made: Promise<KubernetesRuntime>; runtime?: KubernetesRuntime } = { made };
    this.#runtimes.set(key, entry);
    made.then(
      (runtime) => (entry.runtime = runtime),
      () => this.#runtimes.delete(key),
    );
    return made;
  }

  runtimes(): readonly Runtime[] {
    return [...this.#runtimes.values()].flatMap(({ runtime }) => (runtime ? [runtime] : []));
  }

  /** What a dead daemon has left in clusters that it used. One that cannot be asked is asked again at the next start. */
  async sweep(): Promise<void> {
    for (const ref of await this.#remembered()) {
      try {
        await (await this.runtime(ref)).sweep();
      } catch (error) {
        const facts = { cluster: ref.server, error: messageOf(error) };
        this.#parts.logger.log('warn', 'a cluster could not be swept', facts);
        // Its kubeconfig is gone: nobody here will ever reach it again by this name.
        if (codeOf(error) === 'KUBECONFIG_INVALID') await this.#forget(ref);
      }
    }
  }

  /** Takes away what jobs still have there. */
  async close(): Promise<void> {
    await Promise.all(this.runtimes().flatMap((runtime) => runtime.list().map((pod) => pod.remove())));
    for (const { runtime } of this.#runtimes.values()) runtime?.close();
  }

  async #makeRuntime(ref: ClusterRef): Promise<KubernetesRuntime> {
    const { id, clock, logger, env } = this.#parts;
    const access = await this.#access(ref);
    await this.#remember(ref);
    return createKubernetesRuntime({
      id,
      access,
      clock,
      logger,
      env: this.#environmentOf(ref),
      helperImage: env['UPDRAFT_HELPER_IMAGE'] ?? HELPER_IMAGE,
    });
  }

  get #file(): string {
    return path.join(this.#parts.home, 'clusters.json');
  }

  async #remembered(): Promise<readonly ClusterRef[]> {
    const text = await readTextIfPresent(this.#file);
    return text === undefined ? [] : (JSON.parse(text) as readonly ClusterRef[]);
  }

  /** Before anything is made there: whoever comes after a crash has to know where to look. */
  #remember(ref: ClusterRef): Promise<void> {
    return this.#change((known) => (known.some((each) => isSame(each, ref)) ? known : [...known, ref]));
  }

  #forget(ref: ClusterRef): Promise<void> {
    return this.#change((known) => known.filter((each) => !isSame(each, ref)));
  }

  #change(change: (known: readonly ClusterRef[]) => readonly ClusterRef[]): Promise<void> {
    return this.#lock.use('file', async () => {
      const known = await this.#remembered();
      const changed = change(known);
      if (changed !== known) await writeFileAtomic(this.#file, JSON.stringify(changed));
    });
  }

  #environmentOf(ref: ClusterRef): Env {
    return this.#environments.get(ref.kubeconfig ?? '') ?? defined(this.#parts.env);
  }

  async #reach(ref: ClusterRef): Promise<{ access: ClusterAccess; credentials: ClusterCredentials }> {
    const access = await this.#access(ref);
    const options = { clock: this.#parts.clock, env: this.#environmentOf(ref) };
    return { access, credentials: new ClusterCredentials(access, options) };
  }

  async #access(ref: ClusterRef): Promise<ClusterAccess> {
    if (ref.kubeconfig !== undefined) return readKubeconfig(ref.kubeconfig, ref.context);
    const access = await inClusterAccess(this.#parts.env);
    if (access) return access;
    throw new PodsFault('CLUSTER_CREDENTIALS', 'this machine is no pod of a cluster', {
      next: 'Name a cluster: --kubeconfig FILE (updraft kubeconfig prints the embedded one’s).',
    });
  }
}

const defined = (env: Readonly<Record<string, string | undefined>>): Env =>
  Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );

const isSame = (one: ClusterRef, other: ClusterRef): boolean => JSON.stringify(one) === JSON.stringify(other);
