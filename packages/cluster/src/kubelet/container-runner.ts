import { randomBytes } from 'node:crypto';
import { messageOf, timestamp } from '@updraft/kit';
import type {
  Container as RunningContainer,
  ContainerExit,
  ContainerSpec,
  Pod as Sandbox,
} from '@updraft/pods';
import type { AttachOptions, Attachment } from '../api/ports.ts';
import type { Container, ContainerStatus, Pod, Probe } from '../kinds/pod.ts';
import { Audience } from './audience.ts';
import { BackOff, pauseText } from './back-off.ts';
import { containerSpec } from './container-spec.ts';
import { exitReason, imageId, lastWords, notStarted } from './container-state.ts';
import { runHandler } from './handlers.ts';
import { about, provideImage } from './images.ts';
import type { LogFile } from './log-file.ts';
import { probeContainer, slept } from './prober.ts';
import { NotYet, podLabel } from './services.ts';
import type { KubeletServices } from './services.ts';
import type { PodVolumes } from './volumes/volumes.ts';

export type ContainerRole = 'init' | 'sidecar' | 'app';

export interface RunnerParts {
  readonly services: KubeletServices;
  /** The pod as it is in the store now. */
  readonly pod: () => Pod;
  readonly container: Container;
  readonly role: ContainerRole;
  readonly sandbox: Sandbox;
  readonly volumes: PodVolumes;
  /** A new log for each instance, by its restart count. */
  readonly openLog: (container: string, instance: number) => LogFile;
  /** The state has changed: the status has to be written. */
  readonly onChange: () => void;
  /** What a killed daemon left in the pod's status. */
  readonly before: ContainerStatus | undefined;
}

interface Launch {
  readonly spec: ContainerSpec;
  readonly terminationFile: string;
}

const LONG_RUN_MS = 600_000;
const NOT_STARTED_CODE = 128;
const POST_START_TIMEOUT_MS = 300_000;
const CONFIG_RETRY_MS = 2000;

/** Runs one container of a pod, again and again as its restart policy says, until it is finished or told to stop. */
export class ContainerRunner {
  readonly #parts: RunnerParts;
  readonly #stopping = new AbortController();
  readonly #crashes = new BackOff();
  readonly #pulls = new BackOff();
  readonly #audience: Audience;
  #running: RunningContainer | undefined;
  #log: LogFile | undefined;
  #firstRestart = true;
  #probes = new AbortController();
  #status: ContainerStatus;

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
    return this.#running;
  }

  /** Joins what runs now; undefined: nothing does. */
  attach(options: AttachOptions): Attachment | undefined {
    return this.#running && this.#audience.join(this.#running, options);
  }

  get log(): LogFile | undefined {
    return this.#log;
  }

  /** Resolves when the container will not be started again. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        const launch = await this.#prepare();
        if (!launch) return;
        const exit = await this.#runOnce(launch);
        if (this.#stopping.signal.aborted || !this.#restarts(exit)) return;
        if (!(await this.#pauseAfterCrash())) return;
        this.#set({ restartCount: this.#status.restartCount + 1 });
      }
    } finally {
      this.#resolveStarted();
    }
  }

  /** No new start from here on; what runs stays until `stop`. */
  hold(): void {
    this.#stopping.abort();
    this.#probes.abort();
  }

  /** preStop, the stop signal and, when the grace is over, the end. May be called again with a shorter grace. */
  async stop(graceMs: number): Promise<void> {
    this.hold();
    const running = this.#running;
    if (!running) return;
    const { container, services } = this.#parts;
    about(services, this.#parts.pod(), container).normal('Killing', `Stopping container ${container.name}`);
    await this.#stopRunning(running, graceMs);
  }

  /** Ends it now although it is being stopped with more grace already. */
  async hurry(graceMs: number): Promise<void> {
    await this.#running?.stop(graceMs, this.#parts.container.lifecycle?.stopSignal);
  }

  async #stopRunning(running: RunningContainer, graceMs: number): Promise<void> {
    const { container, services } = this.#parts;
    const startedMs = services.clock.elapsed();
    const preStop = container.lifecycle?.preStop;
    if (preStop && graceMs > 0) {
      const ended = running.exited.then(() => ({ ok: true }) as const);
      const result = await Promise.race([
        ended,
        runHandler(preStop, this.#target(running), graceMs),
        this.#after(graceMs),
      ]);
      if (!result.ok) this.#events().warning('FailedPreStopHook', `PreStopHook failed: ${result.message}`);
    }
    const left = graceMs - (services.clock.elapsed() - startedMs);
    // The hook may have used up everything: the program still gets a moment to end by itself.
    await running.stop(preStop ? Math.max(2000, left) : Math.max(0, left));
    await running.exited;
  }

  async #after(ms: number): Promise<{ ok: false; message: string }> {
    await this.#parts.services.clock.sleep(ms);
    return { ok: false, message: 'it took longer than the grace period' };
  }

  #events() {
    return about(this.#parts.services, this.#parts.pod(), this.#parts.container);
  }

  #target(running: RunningContainer) {
    const { container, sandbox, services } = this.#parts;
    return { container, running, podAddress: sandbox.address, clock: services.clock };
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
    const { services, container, volumes, sandbox } = this.#parts;
    const pod = this.#parts.pod();
    const image = await provideImage(services, pod, container, this.#stopping.signal);
    this.#pulls.reset();
    this.#status = { ...this.#status, imageID: imageId(image, container.image ?? '') };
    const last = await volumes.terminationFile(container);
    const mounts = async (env: Readonly<Record<string, string>>) => [
      ...(await volumes.mountsFor(container, env)),
      last,
    ];
    const spec = await containerSpec(services, {
      pod,
      container,
      image,
      podAddress: sandbox.address,
      mounts,
    });
    return { spec, terminationFile: last.source };
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
    const events = this.#events();
    const log = this.#parts.openLog(container.name, this.#status.restartCount);
    this.#log = log;
    const startedMs = services.clock.now();
    const stdin = this.#audience.open();
    let running: RunningContainer;
    try {
      running = await sandbox.start(spec, {
        ...(stdin ? { stdin } : {}),
        onStdout: (chunk) => {
          log.append('stdout', chunk);
          this.#audience.tell('onStdout', chunk);
        },
        onStderr: (chunk) => {
          log.append('stderr', chunk);
          this.#audience.tell('onStderr', chunk);
        },
      });
    } catch (error) {
      await log.close();
      return this.#noteExit(
        { kind: 'couldNotStart', message: messageOf(error) },
        { startedMs, terminationFile },
      );
    }
    if (running.pid !== undefined) {
      this.#running = running;
      const containerID = `${services.runtime.kind}://${randomBytes(32).toString('hex')}`;
      events.normal('Created', `Created container: ${container.name}`);
      events.normal('Started', `Started container ${container.name}`);
      const state = { running: { startedAt: timestamp(startedMs) } };
      this.#set({ containerID, state, ready: false, started: container.startupProbe === undefined });
      if (this.#stopping.signal.aborted) void running.stop(0);
      else void this.#watchOver(running);
    }
    const exit = await running.exited;
    this.#running = undefined;
    this.#probes.abort();
    await log.close();
    return this.#noteExit(exit, { startedMs, terminationFile });
  }

  async #watchOver(running: RunningContainer): Promise<void> {
    const { container } = this.#parts;
    const postStart = container.lifecycle?.postStart;
    this.#probes = new AbortController();
    const { signal } = this.#probes;
    if (postStart) {
      const result = await runHandler(postStart, this.#target(running), POST_START_TIMEOUT_MS);
      if (signal.aborted) return;
      if (!result.ok) {
        this.#events().warning('FailedPostStartHook', `PostStartHook failed: ${result.message}`);
        return this.#kill(running, undefined);
      }
    }
    const started = () => {
      this.#set({ started: true });
      this.#resolveStarted();
    };
    const ready = (isReady: boolean) => this.#set({ ready: isReady });
    const unhealthy = (kind: string, message: string) =>
      this.#events().warning(
        'Unhealthy',
        `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe failed: ${message}`,
      );
    const failed = (kind: string, probe: Probe) => {
      this.#events().normal('Killing', `Container ${container.name} failed ${kind} probe, will be restarted`);
      this.#kill(running, probe.terminationGracePeriodSeconds);
    };
    probeContainer(this.#target(running), { started, ready, unhealthy, failed }, signal);
  }

  #kill(running: RunningContainer, graceSeconds: number | undefined): void {
    const seconds = graceSeconds ?? this.#parts.pod().spec.terminationGracePeriodSeconds ?? 30;
    this.#set({ ready: false });
    void this.#stopRunning(running, seconds * 1000).catch(() => undefined);
  }

  async #noteExit(
    exit: ContainerExit,
    run: { startedMs: number; terminationFile: string },
  ): Promise<ContainerExit> {
    const { services, container } = this.#parts;
    const words = exit.kind === 'couldNotStart' ? exit.message : await lastWords(run.terminationFile);
    const code = exit.kind === 'couldNotStart' ? NOT_STARTED_CODE : exit.code;
    const terminated = {
      exitCode: code,
      reason: exitReason(exit),
      ...(words === '' ? {} : { message: words }),
      startedAt: timestamp(run.startedMs),
      finishedAt: timestamp(services.clock.now()),
      ...(this.#status.containerID === undefined ? {} : { containerID: this.#status.containerID }),
    };
    if (exit.kind === 'couldNotStart') {
      about(services, this.#parts.pod(), container).warning('Failed', `Error: ${exit.message}`);
    }
    if (services.clock.now() - run.startedMs >= LONG_RUN_MS) {
      this.#crashes.reset();
      this.#firstRestart = true;
    }
    const ready = code === 0 && this.#parts.role === 'init';
    this.#set({ state: { terminated }, ready, started: false });
    return exit;
  }

  #restarts(exit: ContainerExit): boolean {
    const { role } = this.#parts;
    const policy = this.#parts.pod().spec.restartPolicy ?? 'Always';
    const failed = exit.kind === 'couldNotStart' || exit.code !== 0;
    if (role === 'sidecar') return true;
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
