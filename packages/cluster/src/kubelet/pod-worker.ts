import { messageOf } from '@updraft/kit';
import type { Pod as Sandbox } from '@updraft/pods';
import { isFinished } from '../controllers/pods.ts';
import type { Container, ContainerStatus, Pod } from '../kinds/pod.ts';
import { roleOf } from './container-role.ts';
import { ContainerRunner } from './container-runner.ts';
import { hasEndedForGood, notStarted } from './container-state.ts';
import { refusalOf } from './admission.ts';
import type { Refusal } from './admission.ts';
import { Deadline } from './deadline.ts';
import { EphemeralContainers } from './ephemeral-containers.ts';
import { deletionGraceMs, graceMs } from './grace.ts';
import { openLog, removeLogs } from './pod-logs.ts';
import { statusOf, verdictIn } from './pod-status.ts';
import type { PodFacts } from './pod-status.ts';
import { slept } from './prober.ts';
import { containersOf, revive, statusesOf } from './revival.ts';
import { sandboxSpec } from './sandbox.ts';
import { ignoredFields } from './unsupported.ts';
import type { KubeletServices } from './services.ts';
import { watchSizes } from './volumes/size-watch.ts';
import { renewTokens, tokensLastMs } from './volumes/token-renewal.ts';
import { PodVolumes } from './volumes/volumes.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const EVICTION_GRACE_MS = 1000;

/** Runs one pod from its binding to its end: volumes, network, init containers, containers, and all of it backwards. */
export class PodWorker {
  readonly #services: KubeletServices;
  readonly #volumes: PodVolumes;
  readonly #runners: ContainerRunner[];
  readonly #ephemeral = new EphemeralContainers((container) => this.#add(container));
  readonly #stopping = new AbortController();
  readonly #startedMs: number;
  readonly #deadline: Deadline;
  readonly #before: ReadonlyMap<string, ContainerStatus>;
  #pod: Pod;
  #sandbox: Sandbox | undefined;
  /** Kept after the end; what an earlier daemon gave is not: another pod may have it now. */
  #address: string | undefined;
  #verdict: PodFacts['verdict'];
  #life: Promise<void> | undefined;
  #ending: { readonly done: Promise<void>; untilMs: number } | undefined;
  #publishing = false;
  /** What happens now is not the pod's history: the daemon is going down, or does not know yet what there is. */
  #silent = false;
  /** What an earlier daemon has left is known. */
  #revival: Promise<void> = Promise.resolve();
  #ended: ReadonlyMap<string, ContainerStatus> = new Map();

  constructor(services: KubeletServices, pod: Pod) {
    this.#services = services;
    this.#pod = pod;
    this.#startedMs = pod.status?.startTime ? Date.parse(pod.status.startTime) : services.clock.now();
    this.#before = new Map(statusesOf(pod).map((status) => [status.name, status]));
    this.#volumes = new PodVolumes(services, () => this.#pod);
    this.#deadline = new Deadline(services.clock, this.#startedMs, () => {
      const message = 'Pod was active on the node longer than the specified deadline';
      this.#condemn({ reason: 'DeadlineExceeded', message }, graceMs(this.#pod));
    });
    this.#runners = [];
  }

  get pod(): Pod {
    return this.#pod;
  }

  runner(container: string): ContainerRunner | undefined {
    return this.#runners.find(({ name }) => name === container);
  }

  get address(): string | undefined {
    return this.#sandbox?.address;
  }

  /** Of any process in the pod's network; undefined while there is none on this machine. */
  get pid(): number | undefined {
    return this.#runners.map(({ running }) => running?.pid).find((pid) => pid !== undefined);
  }

  start(): void {
    this.goOn();
    this.#publish();
  }

  /**
   * Before `goOn`, for a pod that an earlier daemon had: what runs is taken over. Resolves when the status says what there
   * is; until then it stays as the earlier daemon has left it.
   */
  async revive(): Promise<void> {
    this.#silent = true;
    this.#revival = this.#takeOver().finally(() => {
      this.#silent = false;
    });
    await this.#revival.catch((error: unknown) => this.#logFault('a pod could not be taken over', error));
    this.#writeStatus();
  }

  /** Lives the pod's life from where it stands, once. */
  goOn(): void {
    if (this.#life) return;
    this.#life = this.#live().catch((error: unknown) => this.#logFault('a pod could not be run', error));
    const ignored = ignoredFields(this.#pod, this.#services.grants);
    if (ignored.length > 0) {
      const message = `this cluster does not support, and ignores: ${ignored.join(', ')}`;
      this.#services.events.warning(this.#pod, 'Unsupported', message);
    }
    if (this.#pod.metadata.deletionTimestamp !== undefined)
      void this.terminate(deletionGraceMs(this.#pod, this.#services.clock.now()));
  }

  #logFault(what: string, error: unknown): void {
    const { name, namespace } = this.#pod.metadata;
    this.#services.logger.log('error', what, { pod: name, namespace, error: messageOf(error) });
  }

  async #takeOver(): Promise<void> {
    const { sandbox, left, ended } = await revive(this.#services, this.#pod, this.#volumes);
    this.#ended = ended;
    if (!sandbox) return;
    this.#sandbox = sandbox;
    this.#address = sandbox.address;
    for (const container of containersOf(this.#pod)) {
      const one = left.get(container.name);
      if (!one && !ended.has(container.name)) continue;
      const runner = this.#add(container);
      if (one) await runner.resume(one);
      if (runner.role === 'ephemeral') this.#ephemeral.follow(runner);
    }
  }

  /** A newer object of the same pod. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#deadline.follow(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      void this.terminate(deletionGraceMs(this.#pod, this.#services.clock.now()));
    } else {
      // Somebody else has said that it is over.
      const isCut = isFinished(pod) && this.#facts().app.some(({ state }) => state.running);
      if (isCut && !this.#verdict) this.#condemn(verdictIn(pod), graceMs(pod));
      this.#ephemeral.startNew(pod);
      this.#publish();
    }
  }

  async refreshVolumes(changed: Parameters<PodVolumes['refresh']>[0]): Promise<void> {
    if (this.#sandbox && !this.#stopping.signal.aborted) await this.#volumes.refresh(changed);
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
    const done = this.#terminate(untilMs).catch((error: unknown) =>
      this.#logFault('a pod could not be ended cleanly', error),
    );
    this.#ending = { done, untilMs };
    return done;
  }

  /** Ends the processes for a daemon that goes down: the object stays, and comes to life with the next start. */
  async halt(graceMs: number): Promise<void> {
    await this.#revival.catch(() => undefined);
    this.#silent = true;
    await this.#stopContainers(this.#services.clock.elapsed() + graceMs);
    await this.#release();
  }

  async #terminate(untilMs: number): Promise<void> {
    const { deletion, drained } = this.#services;
    this.#hold();
    await this.#revival.catch(() => undefined);
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
    this.#ephemeral.close();
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
    await Promise.all([this.#life, this.#ephemeral.ended()]);
  }

  async #release(): Promise<void> {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    await sandbox?.remove();
    await this.#volumes.remove();
  }

  async #live(): Promise<void> {
    const { containers, restartPolicy } = this.#pod.spec;
    const isOver = containers.every(({ name }) => hasEndedForGood(this.#ended.get(name), restartPolicy));
    const refusal = refusalOf(this.#services, this.#pod);
    if (refusal) return this.#refuse(refusal);
    const isAgeKnown = !this.#sandbox;
    if (!isOver && !(await this.#provide())) return;
    if (!isOver) this.#ephemeral.open(this.#pod);
    this.#deadline.start(this.#pod);
    this.#keepVolumes(isAgeKnown);
    const sidecars: Promise<void>[] = [];
    if (isOver || (await this.#initialise(sidecars))) await this.#runApps();
    this.#deadline.end();
    if (this.#stopping.signal.aborted && !this.#verdict) return;
    await this.#retire(sidecars);
  }

  /** Volumes and network, unless an earlier daemon has left them. */
  async #provide(): Promise<boolean> {
    if (this.#sandbox) {
      // Its containers run: what the volumes lack now is told, and does not stop them.
      await this.#rejoinVolumes().catch((error: unknown) => this.#complain('FailedMount', error));
      return !this.#stopping.signal.aborted;
    }
    if (!(await this.#retry('FailedMount', () => this.#volumes.prepare()))) return false;
    const steps = new Set(this.#pod.spec.initContainers?.map(({ name }) => name));
    this.#ended = new Map([...this.#ended].filter(([name]) => !steps.has(name)));
    return this.#retry('FailedCreatePodSandBox', async () => {
      this.#sandbox = await this.#services.runtime.createPod(sandboxSpec(this.#services, this.#pod));
      this.#address = this.#sandbox.address;
    });
  }

  async #rejoinVolumes(): Promise<void> {
    for (const container of containersOf(this.#pod)) {
      const pid = this.runner(container.name)?.running?.pid;
      if (pid !== undefined) await this.#volumes.rejoin(container, pid);
    }
    await this.#volumes.prepare();
  }

  #complain(reason: string, error: unknown): void {
    this.#services.events.warning(this.#pod, reason, `${FAILURES[reason] ?? ''}${messageOf(error)}`);
  }

  /** False when the pod is told to stop before it has worked. */
  async #retry(reason: string, work: () => Promise<void>): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let pauseMs = FIRST_RETRY_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LAST_RETRY_MS)) {
      try {
        await work();
        return !signal.aborted;
      } catch (error) {
        this.#complain(reason, error);
        if (!(await slept(this.#services.clock, pauseMs, signal))) return false;
      }
    }
    return false;
  }

  async #initialise(sidecars: Promise<void>[]): Promise<boolean> {
    for (const container of this.#pod.spec.initContainers ?? []) {
      if (this.#stopping.signal.aborted) return false;
      const runner = this.#add(container);
      if (runner.role === 'sidecar') {
        sidecars.push(runner.run());
        await runner.started;
      } else {
        await runner.run();
        if (runner.status.state.terminated?.exitCode !== 0) return false;
      }
    }
    return !this.#stopping.signal.aborted;
  }

  async #runApps(): Promise<void> {
    const runners = this.#pod.spec.containers.map((container) => this.#add(container));
    this.#publish();
    await Promise.all(runners.map((runner) => runner.run()));
  }

  /** The runner of a container, made when there is none. */
  #add(container: Container): ContainerRunner {
    const known = this.runner(container.name);
    if (known) return known;
    const runner = new ContainerRunner({
      services: this.#services,
      pod: () => this.#pod,
      container,
      role: roleOf(this.#pod, container),
      sandbox: () => this.#sandbox,
      volumes: this.#volumes,
      isRunning: (name) => this.runner(name)?.running !== undefined,
      openLog: (name, instance) => openLog(this.#services, this.#pod, name, instance),
      onChange: () => this.#publish(),
      before: this.#before.get(container.name),
    });
    const ended = this.#ended.get(container.name);
    if (ended) runner.resumeEnded(ended);
    this.#runners.push(runner);
    return runner;
  }

  /** The containers have ended by themselves: sidecars go, the outcome and the logs stay. */
  async #retire(sidecars: readonly Promise<void>[]): Promise<void> {
    const untilMs = this.#services.clock.elapsed() + graceMs(this.#pod);
    const left = () => Math.max(0, untilMs - this.#services.clock.elapsed());
    this.#ephemeral.close();
    for (const runner of this.#runners.toReversed()) await runner.stop(left());
    await Promise.all([...sidecars, this.#ephemeral.ended()]);
    this.#writeStatus();
    if (!this.#ending) await this.#release();
    this.#publish();
  }

  #keepVolumes(isAgeKnown: boolean): void {
    const { clock, events } = this.#services;
    const shared = { clock, signal: this.#stopping.signal };
    const onFault = (error: unknown) => this.#complain('FailedMount', error);
    const onOutgrown = (message: string) => {
      events.warning(this.#pod, 'Evicted', message);
      this.#condemn({ reason: 'Evicted', message }, EVICTION_GRACE_MS);
    };
    watchSizes(this.#volumes, { ...shared, onOutgrown }).catch(onFault);
    void renewTokens(this.#volumes, tokensLastMs(this.#pod), { ...shared, isAgeKnown, onFault });
  }

  /** The pod fails, whatever its containers do. */
  #condemn(verdict: NonNullable<PodFacts['verdict']>, graceMs: number): void {
    this.#verdict = verdict;
    this.#hold();
    for (const runner of this.#runners) void runner.stop(graceMs).catch(() => undefined);
  }

  /** It fails before it has begun. */
  #refuse(refusal: Refusal): void {
    this.#verdict = refusal;
    this.#services.events.warning(this.#pod, refusal.reason, refusal.message);
    this.#publish();
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
      ephemeral: (this.#pod.spec.ephemeralContainers ?? []).map(statusFor),
      address: this.#address,
      nodeAddress: this.#services.nodeAddress,
      startedMs: this.#startedMs,
      verdict: this.#verdict,
    };
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
  FailedMount: 'MountVolume.SetUp failed ',
  FailedCreatePodSandBox: 'Failed to create pod sandbox: ',
};
