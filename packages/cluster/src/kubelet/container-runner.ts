import { randomBytes } from 'node:crypto';
import { messageOf, timestamp } from '@updraft/kit';
import type {
  Container as RunningContainer,
  ContainerExit,
  ContainerSpec,
  ContainerStreams,
  LeftContainer,
  Pod as Sandbox,
} from '@updraft/pods';
import type { AttachOptions, Attachment } from '../api/ports.ts';
import type { Container, ContainerStatus, Pod } from '../kinds/pod.ts';
import { Audience } from './audience.ts';
import { BackOff, pauseText } from './back-off.ts';
import { ContainerInstance } from './container-instance.ts';
import type { ContainerRole } from './container-role.ts';
import { containerSpec } from './container-spec.ts';
import { imageId, labelsOf, resumedStatus, terminatedState, notStarted } from './container-state.ts';
import type { RunFacts } from './container-state.ts';
import { about, provideImage } from './images.ts';
import type { LogFile } from './log-file.ts';
import { slept } from './prober.ts';
import { NotYet, configError, podLabel } from './services.ts';
import type { KubeletServices } from './services.ts';
import type { PodVolumes } from './volumes/volumes.ts';

export interface RunnerParts {
  readonly services: KubeletServices;
  /** The pod as it is in the store now. */
  readonly pod: () => Pod;
  readonly container: Container;
  readonly role: ContainerRole;
  /** There before anything is started. */
  readonly sandbox: () => Sandbox | undefined;
  readonly volumes: PodVolumes;
  /** Whether another container of the pod runs. */
  readonly isRunning: (container: string) => boolean;
  /** A new log for each instance, by its restart count. */
  readonly openLog: (container: string, instance: number) => LogFile;
  /** The state has changed: the status has to be written. */
  readonly onChange: () => void;
  /** What an earlier daemon has written of it. */
  readonly before: ContainerStatus | undefined;
}

interface Launch {
  readonly spec: ContainerSpec;
  readonly terminationFile: string;
}

const LONG_RUN_MS = 600_000;
const CONFIG_RETRY_MS = 2000;

/** Runs one container of a pod, again and again as its restart policy says, until it is finished or told to stop. */
export class ContainerRunner {
  readonly #parts: RunnerParts;
  readonly #stopping = new AbortController();
  readonly #crashes = new BackOff();
  readonly #pulls = new BackOff();
  readonly #audience: Audience;
  #instance: ContainerInstance | undefined;
  #log: LogFile | undefined;
  #firstRestart = true;
  #status: ContainerStatus;
  /** What an earlier daemon began, or saw the end of. */
  #past: (() => Promise<ContainerExit>) | undefined;

  /** Resolves when a sidecar or app container has started for the first time, or never will. */
  readonly started: Promise<void>;
  #resolveStarted: () => void = () => undefined;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#audience = new Audience(parts.container);
    const reason = parts.role === 'init' ? 'PodInitializing' : 'ContainerCreating';
    this.#status = notStarted(parts.container, parts.before, reason);
    this.started = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  get role(): ContainerRole {
    return this.#parts.role;
  }

  get name(): string {
    return this.#parts.container.name;
  }

  get running(): RunningContainer | undefined {
    return this.#instance?.running;
  }

  /** Joins what runs now; undefined: nothing does. */
  attach(options: AttachOptions): Attachment | undefined {
    return this.running && this.#audience.join(this.running, options);
  }

  get log(): LogFile | undefined {
    return this.#log;
  }

  /** Goes on with an instance that an earlier daemon started; to be called before `run`. */
  async resume(left: LeftContainer): Promise<void> {
    const { container, before, volumes } = this.#parts;
    this.#status = resumedStatus(container, left, before);
    const log = this.#openLog();
    const running = await left.attach(this.#streams(log));
    const { startedMs, endedMs } = left;
    const facts = { startedMs, terminationFile: volumes.terminationPath(container) };
    if (endedMs === undefined && running.pid !== undefined) {
      const instance = this.#begin({ running, log, ...facts });
      const { started = false } = this.#status;
      if (started) this.#resolveStarted();
      void instance.watchOver({ started });
    }
    const ended = running.exited;
    this.#past = async () => this.#end(await ended, { ...facts, endedMs, log });
  }

  /** It is finished, or ended with an earlier daemon in a way that it has left to tell; to be called before `run`. */
  resumeEnded(status: ContainerStatus): void {
    this.#status = status;
    const { exitCode: code = 0, reason } = status.state.terminated ?? {};
    this.#past = async () => ({ kind: 'exited', code, outOfMemory: reason === 'OOMKilled' });
  }

  /** Resolves when the container will not be started again. */
  async run(): Promise<void> {
    try {
      const past = this.#past;
      if (past && !(await this.#goesOn(await past()))) return;
      while (!this.#stopping.signal.aborted) {
        const launch = await this.#prepare();
        if (!launch) return;
        if (!(await this.#goesOn(await this.#runOnce(launch)))) return;
      }
    } finally {
      this.#resolveStarted();
    }
  }

  /** No new start from here on; what runs stays until `stop`. */
  hold(): void {
    this.#stopping.abort();
    this.#instance?.stopWatching();
  }

  /** preStop, the stop signal and, when the grace is over, the end. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.hold();
    if (!this.#instance) return;
    this.#events().normal('Killing', `Stopping container ${this.name}`);
    await this.#instance.stop(graceMs);
  }

  /** Ends it now although it is being stopped with more grace already. */
  async hurry(graceMs: number): Promise<void> {
    await this.#instance?.hurry(graceMs);
  }

  #events() {
    return about(this.#parts.services, this.#parts.pod(), this.#parts.container);
  }

  #set(change: Partial<ContainerStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#parts.onChange();
  }

  #wait(reason: string, message?: string): void {
    this.#set({ state: { waiting: message === undefined ? { reason } : { reason, message } }, ready: false });
  }

  /** Image and specification; tried until both are there. undefined: told to stop meanwhile. */
  async #prepare(): Promise<Launch | undefined> {
    for (;;) {
      try {
        return await this.#assemble();
      } catch (error) {
        if (this.#stopping.signal.aborted) return undefined;
        const pause = error instanceof NotYet ? this.#explain(error) : this.#explainFault(error);
        if (!(await this.#pauseBeforeRetry(error, pause))) return undefined;
      }
    }
  }

  async #assemble(): Promise<Launch> {
    const { services, container, volumes, sandbox, isRunning } = this.#parts;
    const pod = this.#parts.pod();
    const { targetContainerName: target } = container;
    if (target && !isRunning(target)) throw configError(`unable to find target container ${target}`);
    const image = await provideImage(services, pod, container, this.#stopping.signal);
    this.#pulls.reset();
    const containerID = `${services.runtime.kind}://${randomBytes(32).toString('hex')}`;
    this.#status = { ...this.#status, imageID: imageId(image, container.image ?? ''), containerID };
    const last = await volumes.terminationFile(container);
    const mounts = async (env: Readonly<Record<string, string>>) => [
      ...(await volumes.mountsFor(container, env)),
      last,
    ];
    const podAddress = sandbox()?.address;
    const spec = await containerSpec(services, { pod, container, image, podAddress, mounts });
    return { spec: { ...spec, labels: labelsOf(this.#status) }, terminationFile: last.source };
  }

  /** Shows why the container waits; gives the pause until the next attempt. */
  #explain(error: NotYet): number {
    const { container } = this.#parts;
    const events = this.#events();
    this.#wait(error.reason, error.message);
    if (error.reason === 'ErrImagePull') {
      events.warning('Failed', `Failed to pull image "${container.image}": ${error.message}`);
      events.warning('Failed', 'Error: ErrImagePull');
      return this.#pulls.next();
    }
    if (error.reason === 'InvalidImageName') events.warning('InspectFailed', error.message);
    if (error.reason === 'ErrImageNeverPull') events.warning('ErrImageNeverPull', error.message);
    const reason = error.reason === 'CreateContainerConfigError' ? error.message : error.reason;
    events.warning('Failed', `Error: ${reason}`);
    return CONFIG_RETRY_MS;
  }

  #explainFault(error: unknown): number {
    this.#wait('CreateContainerError', messageOf(error));
    this.#events().warning('Failed', `Error: ${messageOf(error)}`);
    return this.#pulls.next();
  }

  async #pauseBeforeRetry(error: unknown, pauseMs: number): Promise<boolean> {
    const { container, services } = this.#parts;
    if (error instanceof NotYet && error.reason === 'ErrImagePull') {
      // The reason of the failure is shown for a moment before the pause takes its place.
      if (!(await slept(services.clock, Math.min(1000, pauseMs), this.#stopping.signal))) return false;
      this.#wait(
        'ImagePullBackOff',
        `Back-off pulling image "${container.image}": ErrImagePull: ${error.message}`,
      );
      this.#events().normal('BackOff', `Back-off pulling image "${container.image}"`);
      this.#events().warning('Failed', 'Error: ImagePullBackOff');
    }
    return slept(services.clock, pauseMs, this.#stopping.signal);
  }

  async #runOnce({ spec, terminationFile }: Launch): Promise<ContainerExit> {
    const { services, sandbox, container } = this.#parts;
    const log = this.#openLog();
    const facts = { startedMs: services.clock.now(), terminationFile };
    const stdin = this.#audience.open();
    let running: RunningContainer;
    try {
      const place = sandbox();
      if (!place) throw new Error('the pod has no network');
      running = await place.start(spec, { ...this.#streams(log), ...(stdin ? { stdin } : {}) });
    } catch (error) {
      log.close();
      return this.#noteExit({ kind: 'couldNotStart', message: messageOf(error) }, { ...facts, log });
    }
    if (running.pid !== undefined) {
      const instance = this.#begin({ running, log, ...facts });
      this.#events().normal('Created', `Created container: ${container.name}`);
      this.#events().normal('Started', `Started container ${container.name}`);
      const state = { running: { startedAt: timestamp(facts.startedMs) } };
      this.#set({ state, ready: isReadyAtOnce(container), started: container.startupProbe === undefined });
      if (this.#stopping.signal.aborted) void running.stop(0);
      else void instance.watchOver();
    }
    return this.#end(await running.exited, { ...facts, log });
  }

  #openLog(): LogFile {
    this.#log = this.#parts.openLog(this.name, this.#status.restartCount);
    return this.#log;
  }

  #streams(log: LogFile): ContainerStreams {
    return {
      onStdout: (chunk) => {
        log.append('stdout', chunk);
        this.#audience.tell('onStdout', chunk);
      },
      onStderr: (chunk) => {
        log.append('stderr', chunk);
        this.#audience.tell('onStderr', chunk);
      },
    };
  }

  #begin(
    facts: Pick<ContainerInstance['parts'], 'running' | 'log' | 'startedMs' | 'terminationFile'>,
  ): ContainerInstance {
    const { services, pod, container, sandbox } = this.#parts;
    const onChange: ContainerInstance['parts']['onChange'] = (change) => {
      if (change.started) this.#resolveStarted();
      this.#set(change);
    };
    this.#instance = new ContainerInstance({
      services,
      pod,
      container,
      podAddress: sandbox()?.address,
      onChange,
      ...facts,
    });
    return this.#instance;
  }

  async #end(exit: ContainerExit, facts: RunFacts): Promise<ContainerExit> {
    this.#instance?.stopWatching();
    this.#instance = undefined;
    facts.log.close();
    return this.#noteExit(exit, facts);
  }

  async #noteExit(exit: ContainerExit, facts: RunFacts): Promise<ContainerExit> {
    const { services, container } = this.#parts;
    const nowMs = facts.endedMs ?? services.clock.now();
    const terminated = await terminatedState(container, exit, { ...facts, endedMs: nowMs });
    if (exit.kind === 'couldNotStart') this.#events().warning('Failed', `Error: ${exit.message}`);
    if (nowMs - facts.startedMs >= LONG_RUN_MS) {
      this.#crashes.reset();
      this.#firstRestart = true;
    }
    const { containerID } = this.#status;
    const ready = terminated.exitCode === 0 && this.#parts.role === 'init';
    const state = { terminated: { ...terminated, ...(containerID === undefined ? {} : { containerID }) } };
    this.#set({ state, ready, started: false });
    return exit;
  }

  /** After an end: whether it is to be started again, once the pause is over. */
  async #goesOn(exit: ContainerExit): Promise<boolean> {
    if (this.#stopping.signal.aborted || !this.#restarts(exit)) return false;
    if (!(await this.#pauseAfterCrash())) return false;
    // Shown with the start itself: a count that is ahead of it would read as a start that has failed.
    this.#status = { ...this.#status, restartCount: this.#status.restartCount + 1 };
    return true;
  }

  #restarts(exit: ContainerExit): boolean {
    const { role } = this.#parts;
    const policy = this.#parts.pod().spec.restartPolicy ?? 'Always';
    const failed = exit.kind !== 'exited' || exit.code !== 0;
    if (role === 'sidecar') return true;
    if (role === 'ephemeral') return false;
    if (role === 'init') return failed && policy !== 'Never';
    return policy === 'Always' || (policy === 'OnFailure' && failed);
  }

  async #pauseAfterCrash(): Promise<boolean> {
    const { services, container } = this.#parts;
    const last = this.#status.state;
    if (this.#firstRestart) {
      this.#firstRestart = false;
      this.#set({ lastState: last });
      return !this.#stopping.signal.aborted;
    }
    const pauseMs = this.#crashes.next();
    const label = podLabel(this.#parts.pod());
    const what = `restarting failed container=${container.name} pod=${label}`;
    this.#set({ lastState: last });
    this.#wait('CrashLoopBackOff', `back-off ${pauseText(pauseMs)} ${what}`);
    this.#events().warning(
      'BackOff',
      `Back-off restarting failed container ${container.name} in pod ${label}`,
    );
    return slept(services.clock, pauseMs, this.#stopping.signal);
  }
}

/** Nobody is asked first, neither a probe nor a hook. */
const isReadyAtOnce = ({ startupProbe, readinessProbe, lifecycle }: Container): boolean =>
  !startupProbe && !readinessProbe && !lifecycle?.postStart;
