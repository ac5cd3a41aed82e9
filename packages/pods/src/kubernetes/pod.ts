import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { PodsFault, requireName } from '../fault.ts';
import type {
  Container,
  ContainerSpec,
  ContainerStreams,
  Pod,
  PodFiles,
  PodPlan,
  PodSpec,
} from '../types.ts';
import { ClusterRefusal } from './api.ts';
import type { ClusterApi } from './api.ts';
import { startInMain, watchBeside } from './container.ts';
import type { BesidePlace } from './container.ts';
import { podFiles } from './files.ts';
import {
  HELPER,
  MAIN,
  objectName,
  podManifest,
  secretManifests,
  unnameable,
  unsupported,
} from './manifest.ts';
import type { ManifestPlace } from './manifest.ts';
import { goneBecause, progressOf, statusOf } from './pod-status.ts';
import type { PodObject } from './pod-status.ts';

export interface PodPlace extends ManifestPlace {
  readonly api: ClusterApi;
  readonly clock: Clock;
  readonly namespace: string;
  /** An image may be large and its registry slow. */
  readonly startsWithinMs: number;
  /** Nodes may have to be made first. */
  readonly scheduledWithinMs: number;
}

type Waiting = { readonly signal?: AbortSignal; readonly onProgress?: (line: string) => void };

const LOOK_EVERY_MS = 200;

/** A pod of a cluster: made when its plan is known, at the latest for the first thing that is started in it. */
export class KubernetesPod implements Pod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly files: PodFiles;
  readonly #place: PodPlace;
  readonly #spec: PodSpec;
  readonly #onRemoved: () => void;
  readonly #running = new Set<string>();
  readonly #object: string;
  #plan: PodPlan | undefined;
  #made: Promise<void> | undefined;
  #address: string | undefined;
  #removal: Promise<void> | undefined;

  constructor(place: PodPlace, spec: PodSpec, onRemoved: () => void) {
    this.#place = place;
    this.#spec = spec;
    this.#onRemoved = onRemoved;
    this.#object = objectName(place.id, spec.name);
    this.name = spec.name;
    this.labels = spec.labels ?? {};
    this.files = podFiles(place.api, place.clock, this.#path);
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** @throws PodsFault POD_NOT_STARTED, CLUSTER_REFUSED, UNSUPPORTED, …; nothing of it is left then */
  make(plan: PodPlan, waiting: Waiting = {}): Promise<void> {
    this.#plan = plan;
    this.#made = this.#make(plan, waiting);
    return this.#made;
  }

  async start(spec: ContainerSpec, streams: ContainerStreams): Promise<Container> {
    requireName('container', spec.name);
    if (this.#removal) throw new PodsFault('GONE', `the pod ${this.name} is being removed`);
    if (this.#running.has(spec.name)) {
      throw new PodsFault('NAME_TAKEN', `a container ${spec.name} is running in the pod ${this.name}`);
    }
    this.#running.add(spec.name);
    try {
      const container = await this.#start(spec, streams);
      void container.exited.then(() => this.#running.delete(spec.name));
      return container;
    } catch (error) {
      this.#running.delete(spec.name);
      throw error;
    }
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #start(spec: ContainerSpec, streams: ContainerStreams): Promise<Container> {
    requireNoHostFiles(spec);
    if (spec.processesOf !== undefined)
      throw unsupported(`the process tree of ${spec.processesOf} for ${spec.name}`, 'Leave it out.');
    const { image, env, resources, security } = spec;
    const own = {
      env,
      ...(image ? { image } : {}),
      ...(resources ? { resources } : {}),
      ...(security ? { security } : {}),
    };
    const plan = this.#plan ?? { main: own, beside: [], folders: [] };
    await (this.#made ?? this.make(plan));
    if (plan.beside.some(({ name }) => name === spec.name))
      return watchBeside(this.#inside, spec.name, streams);
    for (const what of ['image', 'resources', 'security'] as const) {
      if (spec[what] === undefined || isDeepStrictEqual(spec[what], plan.main[what])) continue;
      throw unsupported(
        `another ${what} for ${spec.name} in a pod that runs`,
        'Plan it when the pod is made.',
      );
    }
    return startInMain(this.#inside, spec, streams);
  }

  get #path(): string {
    return `${this.#pods}/${this.#object}`;
  }

  get #pods(): string {
    return `/api/v1/namespaces/${this.#place.namespace}/pods`;
  }

  get #inside(): BesidePlace {
    const { api, clock } = this.#place;
    return {
      api,
      clock,
      pod: this.#path,
      container: MAIN,
      isRemoved: () => this.#removal !== undefined,
      whyLost: () => this.#whyLost(),
      look: () => this.#look(),
    };
  }

  #look(): Promise<PodObject> {
    return this.#place.api.call<PodObject>('GET', this.#path);
  }

  async #make(plan: PodPlan, waiting: Waiting): Promise<void> {
    const { api, namespace } = this.#place;
    const body = podManifest(this.#spec, plan, this.#place);
    sayLeftOut(plan, waiting.onProgress);
    try {
      for (const secret of secretManifests(this.#spec, plan, this.#place)) {
        await api.call('POST', `/api/v1/namespaces/${namespace}/secrets`, { body: secret });
      }
      await api.call('POST', this.#pods, { body });
      await this.#started(plan, waiting);
    } catch (error) {
      // Whoever removed it meanwhile may have come before it was there.
      await this.#clear(plan).catch(() => undefined);
      await this.remove().catch(() => undefined);
      throw error;
    }
  }

  /** Waits until all of its containers have been started. */
  async #started(plan: PodPlan, { signal, onProgress }: Waiting): Promise<void> {
    const { clock, startsWithinMs, scheduledWithinMs } = this.#place;
    const begun = clock.elapsed();
    const names = [
      MAIN,
      ...(plan.folders.length > 0 ? [HELPER] : []),
      ...plan.beside.map(({ name }) => name),
    ];
    let told: string | undefined;
    for (;;) {
      if (this.#removal) throw new PodsFault('GONE', `the pod ${this.name} is being removed`);
      const pod = await this.#look();
      const progress = progressOf(pod, names);
      if (progress.kind === 'runs') return this.#requireMain(pod, progress.address);
      if (progress.kind === 'failed') throw notStarted(this.#object, progress.why, progress.next);
      const late = clock.elapsed() - begun > (progress.unschedulable ? scheduledWithinMs : startsWithinMs);
      if (late) throw notStarted(this.#object, progress.why ?? 'nobody says why', LATE);
      if (progress.why !== told && progress.why !== undefined) onProgress?.(progress.why);
      told = progress.why;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** An image without a shell is its user's to mend, and is told by what is started in it. */
  #requireMain(pod: PodObject, address: string | undefined): void {
    this.#address = address;
    const terminated = statusOf(pod, MAIN)?.state?.terminated;
    if (!terminated) return;
    throw notStarted(
      this.#object,
      terminated.message ?? terminated.reason ?? `it ended with ${terminated.exitCode}`,
      'Jobs need an image that has a shell (sh).',
    );
  }

  async #whyLost(): Promise<string | undefined> {
    try {
      const pod = await this.#look();
      const main = statusOf(pod, MAIN)?.state?.terminated;
      if (main?.reason === 'OOMKilled') return 'oom';
      return goneBecause(pod) ?? (main && `its container ended: ${main.reason ?? main.exitCode}`);
    } catch (error) {
      if (isMissing(error)) return `the pod ${this.#object} was removed from the cluster`;
      return messageOf(error);
    }
  }

  async #remove(): Promise<void> {
    const { clock } = this.#place;
    if (this.#plan) {
      await this.#clear(this.#plan);
      // Whoever makes a pod of this name next is not to find it still there.
      for (let tries = 0; tries < 150 && (await this.#isThere()); tries += 1)
        await clock.sleep(LOOK_EVERY_MS);
    }
    this.#onRemoved();
  }

  #clear(plan: PodPlan): Promise<void> {
    const { api, namespace } = this.#place;
    const secrets = secretNames(this.#spec, plan, this.#place);
    return removeObjects(api, { namespace, pod: this.#object, secrets });
  }

  async #isThere(): Promise<boolean> {
    return this.#look().then(
      () => true,
      (error: unknown) => {
        if (isMissing(error)) return false;
        throw error;
      },
    );
  }
}

/** Kubernetes takes fewer names of variables than a process; a service is told what it goes without. */
function sayLeftOut({ beside }: PodPlan, say: ((line: string) => void) | undefined): void {
  for (const { name, env } of beside) {
    const names = unnameable(env);
    if (names.length > 0) say?.(`${name} goes without ${names.join(', ')}: no names for Kubernetes`);
  }
}

const LATE = 'kubectl describe pod, while it waits, shows more of it.';

const notStarted = (pod: string, why: string, next: string | undefined): PodsFault =>
  new PodsFault(
    'POD_NOT_STARTED',
    `the cluster has not started the pod ${pod}: ${why}`,
    next === undefined ? {} : { next },
  );

const secretNames = (spec: PodSpec, plan: PodPlan, place: ManifestPlace): readonly string[] =>
  secretManifests(spec, plan, place).map(
    (secret) => (secret as { metadata: { name: string } }).metadata.name,
  );

export const isMissing = (error: unknown): boolean => error instanceof ClusterRefusal && error.status === 404;

/** All at once, without a grace period; what is not there any more is no error. */
export async function removeObjects(
  api: ClusterApi,
  {
    namespace,
    pod,
    secrets,
  }: { readonly namespace: string; readonly pod?: string; readonly secrets: readonly string[] },
): Promise<void> {
  const folder = `/api/v1/namespaces/${namespace}`;
  const paths = [...(pod === undefined ? [] : [`pods/${pod}`]), ...secrets.map((name) => `secrets/${name}`)];
  const body = { gracePeriodSeconds: 0, propagationPolicy: 'Background' };
  const failures: unknown[] = [];
  for (const path of paths) {
    await api.call('DELETE', `${folder}/${path}`, { body }).catch((error: unknown) => {
      if (!isMissing(error)) failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
}

/** What a pod elsewhere cannot have is refused, never left out in silence. */
function requireNoHostFiles({ rootFs, mounts = [], name }: ContainerSpec): void {
  if (rootFs.layers.length > 0 || rootFs.upper !== undefined || rootFs.readOnly) {
    throw unsupported(`a root of folders of this host for ${name}`, 'Name an image.');
  }
  const [mount] = mounts;
  if (mount) {
    throw unsupported(`a mount at ${mount.target}`, 'Folders of the plan are filled and read by Pod.files.');
  }
}
