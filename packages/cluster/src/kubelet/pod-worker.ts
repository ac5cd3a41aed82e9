import { messageOf } from '@updraft/kit';
import type { Pod as Sandbox } from '@updraft/pods';
import type { Container, ContainerStatus, Pod } from '../kinds/pod.ts';
import { ContainerRunner } from './container-runner.ts';
import type { ContainerRole } from './container-runner.ts';
import { notStarted } from './container-state.ts';
import { openLog, removeLogs } from './pod-logs.ts';
import { phaseOf, statusOf } from './pod-status.ts';
import type { PodFacts } from './pod-status.ts';
import { slept } from './prober.ts';
import { sandboxSpec } from './sandbox.ts';
import { ignoredFields } from './unsupported.ts';
import type { KubeletServices } from './services.ts';
import { PodVolumes } from './volumes/volumes.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const DEFAULT_GRACE_SECONDS = 30;

/** Runs one pod from its binding to its end: volumes, network, init containers, containers, and all of it backwards. */
export class PodWorker {
  readonly #services: KubeletServices;
  readonly #volumes: PodVolumes;
  readonly #runners: ContainerRunner[];
  readonly #stopping = new AbortController();
  readonly #startedMs: number;
  readonly #before: ReadonlyMap<string, ContainerStatus>;
  #pod: Pod;
  #sandbox: Sandbox | undefined;
  /** Kept after the end; what an earlier daemon gave is not: another pod may have it now. */
  #address: string | undefined;
  #verdict: PodFacts['verdict'];
  #life: Promise<void> | undefined;
  #ending: { readonly done: Promise<void>; untilMs: number } | undefined;
  #publishing = false;
  /** The daemon is going down: what happens now is not the pod's history. */
  #silent = false;

  /** @param before what a killed daemon left of the containers, already counted as a restart */
  constructor(services: KubeletServices, pod: Pod, before: readonly ContainerStatus[] = []) {
    this.#services = services;
    this.#pod = pod;
    this.#startedMs = pod.status?.startTime ? Date.parse(pod.status.startTime) : services.clock.now();
    this.#before = new Map(before.map((status) => [status.name, status]));
    this.#volumes = new PodVolumes(services, () => this.#pod);
    this.#runners = [];
  }

  get pod(): Pod {
    return this.#pod;
  }

  runner(container: string): ContainerRunner | undefined {
    return this.#runners.find(({ name }) => name === container);
  }

  /** Of any process in the pod's network; undefined while there is none on this machine. */
  get pid(): number | undefined {
    return this.#runners.map(({ running }) => running?.pid).find((pid) => pid !== undefined);
  }

  start(): void {
    this.#life = this.#live().catch((error: unknown) => {
      this.#services.logger.log('error', 'a pod could not be run', {
        pod: this.#pod.metadata.name,
        error: messageOf(error),
      });
    });
    const ignored = ignoredFields(this.#pod);
    if (ignored.length > 0) {
      const message = `this cluster does not support, and ignores: ${ignored.join(', ')}`;
      this.#services.events.warning(this.#pod, 'Unsupported', message);
    }
    this.#publish();
  }

  /** A newer object of the same pod. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) {
      const seconds = pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
      void this.terminate(Math.max(1, seconds) * 1000);
    } else this.#publish();
  }

  async refreshVolumes(resource: 'configmaps' | 'secrets', name: string): Promise<void> {
    if (this.#sandbox && !this.#stopping.signal.aborted) await this.#volumes.refresh(resource, name);
  }

  /** Ends the pod and takes its object away; a later call can only shorten the grace. */
  terminate(graceMs: number): Promise<void> {
    const untilMs = this.#services.clock.elapsed() + graceMs;
    if (this.#ending) {
      if (untilMs < this.#ending.untilMs) {
        this.#ending.untilMs = untilMs;
        for (const runner of this.#runners) void runner.hurry(graceMs).catch(() => undefined);
      }
      return this.#ending.done;
    }
    const done = this.#terminate(untilMs).catch((error: unknown) => {
      this.#services.logger.log('error', 'a pod could not be ended cleanly', {
        pod: this.#pod.metadata.name,
        error: messageOf(error),
      });
    });
    this.#ending = { done, untilMs };
    return done;
  }

  /** Ends the processes for a daemon that goes down: the object stays, and comes to life with the next start. */
  async halt(graceMs: number): Promise<void> {
    this.#silent = true;
    await this.#stopContainers(this.#services.clock.elapsed() + graceMs);
    await this.#release();
  }

  async #terminate(untilMs: number): Promise<void> {
    const { deletion, drained } = this.#services;
    this.#hold();
    if (this.#runners.some(({ running }) => running)) await drained(this.#pod);
    await this.#stopContainers(untilMs);
    await this.#release();
    this.#writeStatus();
    const { namespace, name, uid } = this.#pod.metadata;
    deletion.delete('pods', namespace, name, { gracePeriodSeconds: 0, uid });
    await removeLogs(this.#services, this.#pod);
  }

  #hold(): void {
    this.#stopping.abort();
    for (const runner of this.#runners) runner.hold();
  }

  /** Containers first, all at once, then sidecars from the last to the first. */
  async #stopContainers(untilMs: number): Promise<void> {
    this.#hold();
    const left = () => Math.max(0, (this.#ending?.untilMs ?? untilMs) - this.#services.clock.elapsed());
    const sidecars = this.#runners.filter(({ role }) => role === 'sidecar').toReversed();
    const others = this.#runners.filter(({ role }) => role !== 'sidecar');
    await Promise.all(others.map((runner) => runner.stop(left())));
    for (const sidecar of sidecars) await sidecar.stop(left());
    await this.#life;
  }

  async #release(): Promise<void> {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    await sandbox?.remove();
    await this.#volumes.remove();
  }

  async #live(): Promise<void> {
    if (!(await this.#retry('FailedMount', () => this.#volumes.prepare()))) return;
    const made = await this.#retry('FailedCreatePodSandBox', async () => {
      this.#sandbox = await this.#services.runtime.createPod(sandboxSpec(this.#services, this.#pod));
      this.#address = this.#sandbox.address;
    });
    if (!made || !this.#sandbox) return;
    const cancelDeadline = this.#armDeadline();
    const sidecars: Promise<void>[] = [];
    if (await this.#initialise(this.#sandbox, sidecars)) await this.#runApps(this.#sandbox);
    cancelDeadline();
    if (this.#stopping.signal.aborted && !this.#verdict) return;
    await this.#retire(sidecars);
  }

  /** False when the pod is told to stop before it has worked. */
  async #retry(reason: string, work: () => Promise<void>): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let pauseMs = FIRST_RETRY_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LAST_RETRY_MS)) {
      try {
        await work();
        return !signal.aborted;
      } catch (error) {
        this.#services.events.warning(this.#pod, reason, `${FAILURES[reason] ?? ''}${messageOf(error)}`);
        if (!(await slept(this.#services.clock, pauseMs, signal))) return false;
      }
    }
    return false;
  }

  async #initialise(sandbox: Sandbox, sidecars: Promise<void>[]): Promise<boolean> {
    for (const container of this.#pod.spec.initContainers ?? []) {
      if (this.#stopping.signal.aborted) return false;
      const role = container.restartPolicy === 'Always' ? 'sidecar' : 'init';
      const runner = this.#add(container, role, sandbox);
      if (role === 'sidecar') {
        sidecars.push(runner.run());
        await runner.started;
      } else {
        await runner.run();
        if (runner.status.state.terminated?.exitCode !== 0) return false;
      }
    }
    return !this.#stopping.signal.aborted;
  }

  async #runApps(sandbox: Sandbox): Promise<void> {
    const runners = this.#pod.spec.containers.map((container) => this.#add(container, 'app', sandbox));
    this.#publish();
    await Promise.all(runners.map((runner) => runner.run()));
  }

  #add(container: Container, role: ContainerRole, sandbox: Sandbox): ContainerRunner {
    const runner = new ContainerRunner({
      services: this.#services,
      pod: () => this.#pod,
      container,
      role,
      sandbox,
      volumes: this.#volumes,
      openLog: (name, instance) => openLog(this.#services, this.#pod, name, instance),
      onChange: () => this.#publish(),
      before: this.#before.get(container.name),
    });
    this.#runners.push(runner);
    return runner;
  }

  /** The containers have ended by themselves: sidecars go, the outcome and the logs stay. */
  async #retire(sidecars: readonly Promise<void>[]): Promise<void> {
    const untilMs = this.#services.clock.elapsed() + this.#graceMs();
    const left = () => Math.max(0, untilMs - this.#services.clock.elapsed());
    for (const runner of this.#runners.toReversed()) await runner.stop(left());
    await Promise.all(sidecars);
    this.#writeStatus();
    if (!this.#ending) await this.#release();
    this.#publish();
  }

  #graceMs(): number {
    return (this.#pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
  }

  #armDeadline(): () => void {
    const { activeDeadlineSeconds } = this.#pod.spec;
    if (activeDeadlineSeconds === undefined) return () => undefined;
    const { clock } = this.#services;
    const leftMs = this.#startedMs + activeDeadlineSeconds * 1000 - clock.now();
    return clock.timer(Math.max(0, leftMs), () => {
      this.#verdict = {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      };
      this.#hold();
      for (const runner of this.#runners) void runner.stop(this.#graceMs()).catch(() => undefined);
    });
  }

  #facts(): PodFacts {
    const init = this.#pod.spec.initContainers ?? [];
    const reason = init.length > 0 ? 'PodInitializing' : 'ContainerCreating';
    const statusFor = (container: Container): ContainerStatus =>
      this.runner(container.name)?.status ?? notStarted(container, this.#before.get(container.name), reason);
    return {
      init: init.map(statusFor),
      sidecars: new Set(
        init.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
      ),
      app: this.#pod.spec.containers.map(statusFor),
      address: this.#address,
      nodeAddress: this.#services.nodeAddress,
      startedMs: this.#startedMs,
      verdict: this.#verdict,
    };
  }

  get phase() {
    return phaseOf(this.#pod, this.#facts());
  }

  /** Several changes in one turn of the event loop make one write. */
  #publish(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    queueMicrotask(() => {
      this.#publishing = false;
      this.#writeStatus();
    });
  }

  #writeStatus(): void {
    if (this.#silent) return;
    const { namespace, name, uid } = this.#pod.metadata;
    const { clock, objects } = this.#services;
    objects.modify('pods', namespace, name, (stored) => {
      if (stored.metadata.uid !== uid) return false;
      stored.status = statusOf(stored, this.#facts(), clock.now());
      return undefined;
    });
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  FailedMount: 'MountVolume.SetUp failed: ',
  FailedCreatePodSandBox: 'Failed to create pod sandbox: ',
};
