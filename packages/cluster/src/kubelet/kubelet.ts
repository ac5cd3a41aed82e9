import type { Duplex, Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@updraft/kit';
import { connectInside, connectTo } from '@updraft/pods';
import type { Process } from '@updraft/pods';
import type { AttachOptions, Attachment, ExecOptions, KubeletPort, LogOptions } from '../api/ports.ts';
import { isFinished } from '../controllers/pods.ts';
import { ClusterFault } from '../fault.ts';
import { objectOf } from '../kinds/objects.ts';
import type { Pod } from '../kinds/pod.ts';
import type { ContainerReading } from '../metrics/usage.ts';
import type { KubeObject, WatchEvent } from '../store/types.ts';
import { readPodLog, removeLogs } from './pod-logs.ts';
import { PodWorker } from './pod-worker.ts';
import type { KubeletServices } from './services.ts';
import { statusesOf } from './revival.ts';
import { sweepVolumes } from './volumes/volumes.ts';

/** Runs the pods that are bound to its node. */
export interface Kubelet extends KubeletPort {
  /** What the pod's running containers have used until now. */
  readings(pod: Pod): Promise<readonly ContainerReading[]>;
  /** Ends every pod's processes and leaves the objects. */
  stop(): Promise<void>;
}

const HALT_GRACE_MS = 5000;

/**
 * Starts the kubelet. Bound pods that outlived a dead daemon are taken over as they are, the others are started anew.
 * When this resolves, every status says what there is, and nothing else is left of the dead daemon's pods.
 */
export async function startKubelet(services: KubeletServices): Promise<Kubelet> {
  const kubelet = new NodeKubelet(services);
  await kubelet.begin();
  return kubelet;
}

class NodeKubelet implements Kubelet {
  readonly #services: KubeletServices;
  readonly #workers = new Map<string, PodWorker>();
  #unwatch: () => void = () => undefined;

  constructor(services: KubeletServices) {
    this.#services = services;
  }

  async begin(): Promise<void> {
    const { objects, nodeName, runtime, dir } = this.#services;
    const mine = () =>
      objects.list('pods').filter((pod) => pod.spec.nodeName === nodeName && !isFinished(pod));
    await sweepVolumes(dir, new Set(mine().map(({ metadata }) => metadata.uid)));
    // From here on nothing is waited for before the store is watched: no pod is missed.
    const revivals = mine().map((pod) => this.#revive(pod));
    this.#unwatch = objects.store.watch((event) => this.#hear(event));
    await Promise.all(revivals);
    // Before anything is made under a name that is still to be swept.
    await runtime.sweep({ lasting: true });
    for (const worker of this.#workers.values()) worker.goOn();
  }

  async stop(): Promise<void> {
    this.#unwatch();
    await Promise.all([...this.#workers.values()].map((worker) => worker.halt(HALT_GRACE_MS)));
    this.#workers.clear();
  }

  async logs(object: KubeObject, options: LogOptions): Promise<Readable> {
    const pod = object as unknown as Pod;
    const runner = this.#workers.get(pod.metadata.uid)?.runner(options.container);
    const kept = statusesOf(pod).find(({ name }) => name === options.container)?.restartCount ?? 0;
    const instance = runner?.status.restartCount ?? kept;
    return readPodLog(this.#services, pod, options, { log: runner?.log, instance });
  }

  async exec(object: KubeObject, options: ExecOptions): Promise<Process> {
    const running = this.#workers.get(object.metadata.uid)?.runner(options.container)?.running;
    if (!running) throw notRunning(object, options.container);
    const { command, container: _container, ...streams } = options;
    return running.exec(command, streams);
  }

  async attach(object: KubeObject, options: AttachOptions): Promise<Attachment> {
    const attached = this.#workers.get(object.metadata.uid)?.runner(options.container)?.attach(options);
    if (!attached) throw notRunning(object, options.container);
    return attached;
  }

  async readings({ metadata, spec }: Pod): Promise<readonly ContainerReading[]> {
    const worker = this.#workers.get(metadata.uid);
    const containers = [...spec.containers, ...(spec.initContainers ?? [])];
    const readings = await Promise.all(
      containers.map(async ({ name }) => {
        const runner = worker?.runner(name);
        // A container that ends at this moment has nothing to say.
        const stats = await runner?.running?.stats().catch(() => undefined);
        return stats && [{ name, instance: String(runner?.status.restartCount), ...stats }];
      }),
    );
    return readings.flatMap((reading) => reading ?? []);
  }

  async forward(object: KubeObject, port: number): Promise<Duplex> {
    const { pid, address } = this.#workers.get(object.metadata.uid) ?? {};
    if (pid !== undefined) return connectInside(pid, port);
    // A runtime whose processes are not on this machine has given it one; what the status says, anybody may have written.
    if (address === undefined) throw notRunning(object, '');
    return connectTo(address, port);
  }

  #hear(event: WatchEvent): void {
    if (event.resource === 'configmaps' || event.resource === 'secrets')
      return this.#refresh(event.resource, event.object);
    const pod = objectOf(event, 'pods');
    if (!pod || pod.spec.nodeName !== this.#services.nodeName) return;
    if (event.type === 'DELETED') this.#gone(pod);
    else this.#seen(pod);
  }

  #seen(pod: Pod): void {
    const { uid } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (worker) return this.#update(worker, pod);
    if (isFinished(pod)) return;
    if (pod.metadata.deletionTimestamp === undefined) this.#start(pod);
    else this.#bury(pod);
  }

  #update(worker: PodWorker, pod: Pod): void {
    const { labels, annotations } = worker.pod.metadata;
    worker.update(pod);
    if (isDeepStrictEqual([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) return;
    void worker.refreshVolumes({ resource: 'pods', name: pod.metadata.name }).catch(() => undefined);
  }

  #start(pod: Pod): void {
    const worker = new PodWorker(this.#services, pod);
    this.#workers.set(pod.metadata.uid, worker);
    worker.start();
  }

  /** A pod that an earlier daemon ran, or was about to. */
  async #revive(pod: Pod): Promise<void> {
    const worker = new PodWorker(this.#services, pod);
    this.#workers.set(pod.metadata.uid, worker);
    await worker.revive();
  }

  /** Nothing of it runs here: the object can go. */
  #bury(pod: Pod): void {
    const { namespace, name, uid } = pod.metadata;
    this.#services.deletion.delete('pods', namespace, name, { gracePeriodSeconds: 0, uid });
  }

  #gone(pod: Pod): void {
    const worker = this.#workers.get(pod.metadata.uid);
    this.#workers.delete(pod.metadata.uid);
    const ended = worker ? worker.terminate(0) : removeLogs(this.#services, pod);
    void ended.catch((error: unknown) =>
      this.#services.logger.log('warn', 'something of a pod was left behind', {
        pod: pod.metadata.name,
        error: messageOf(error),
      }),
    );
  }

  #refresh(resource: 'configmaps' | 'secrets', { metadata }: KubeObject): void {
    for (const worker of this.#workers.values()) {
      if (worker.pod.metadata.namespace !== metadata.namespace) continue;
      // What is missing now was there at the start: the volume keeps what it has.
      void worker.refreshVolumes({ resource, name: metadata.name }).catch(() => undefined);
    }
  }
}

function notRunning({ metadata }: KubeObject, container: string): ClusterFault {
  return new ClusterFault('NOT_FOUND', `container ${container} of pod ${metadata.name} is not running`);
}
