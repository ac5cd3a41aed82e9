import type { Container as RunningContainer, ContainerExit } from '@updraft/pods';
import type { Container, Pod, Probe } from '../kinds/pod.ts';
import { runHandler } from './handlers.ts';
import type { HandlerTarget } from './handlers.ts';
import { about } from './images.ts';
import type { LogFile } from './log-file.ts';
import { probeContainer } from './prober.ts';
import type { KubeletServices } from './services.ts';

export interface InstanceParts {
  readonly services: KubeletServices;
  readonly pod: () => Pod;
  readonly container: Container;
  readonly podAddress: string | undefined;
  readonly running: RunningContainer;
  readonly log: LogFile;
  readonly startedMs: number;
  readonly terminationFile: string;
  /** What the probes find. */
  readonly onChange: (change: { readonly started?: true; readonly ready?: boolean }) => void;
}

const POST_START_TIMEOUT_MS = 300_000;
/** A program whose hook has used up the grace still gets a moment to end by itself. */
const EXTRA_GRACE_MS = 2000;
const DEFAULT_GRACE_SECONDS = 30;

/** One life of a container: its hooks, its probes and its end. */
export class ContainerInstance {
  readonly parts: InstanceParts;
  readonly running: RunningContainer;
  /** Resolves when it has ended and its log is complete. */
  readonly exited: Promise<ContainerExit>;
  readonly #watching = new AbortController();

  constructor(parts: InstanceParts) {
    this.parts = parts;
    this.running = parts.running;
    this.exited = this.#finish();
  }

  /**
   * Runs the first hook, then the probes, until it ends.
   * @param resumed what was known of it when an earlier daemon died; absent: it has just been started
   */
  async watchOver(resumed?: { readonly started: boolean }): Promise<void> {
    const { container, services, startedMs } = this.parts;
    const postStart = container.lifecycle?.postStart;
    const { signal } = this.#watching;
    if (postStart && !resumed) {
      const result = await runHandler(postStart, this.#target(), POST_START_TIMEOUT_MS);
      if (signal.aborted) return;
      if (!result.ok) {
        this.#events().warning('FailedPostStartHook', `PostStartHook failed: ${result.message}`);
        return this.#end(undefined);
      }
    }
    probeContainer(
      { target: this.#target(), ageMs: services.clock.now() - startedMs, started: resumed?.started ?? false },
      {
        started: () => this.parts.onChange({ started: true }),
        ready: (ready) => this.parts.onChange({ ready }),
        unhealthy: (kind, message) => this.#events().warning('Unhealthy', `${kind} probe failed: ${message}`),
        failed: (kind, probe) => this.#failed(kind, probe),
      },
      signal,
    );
  }

  /** No probe says anything from here on. */
  stopWatching(): void {
    this.#watching.abort();
  }

  /** preStop, the stop signal and, when the grace is over, the end. */
  async stop(graceMs: number): Promise<void> {
    this.stopWatching();
    const { container, services } = this.parts;
    const startedMs = services.clock.elapsed();
    const preStop = container.lifecycle?.preStop;
    if (preStop && graceMs > 0) await this.#runPreStop(graceMs);
    const left = graceMs - (services.clock.elapsed() - startedMs);
    await this.running.stop(preStop ? Math.max(EXTRA_GRACE_MS, left) : Math.max(0, left));
    await this.exited;
  }

  /** Ends it now although it is being stopped with more grace already. */
  async hurry(graceMs: number): Promise<void> {
    await this.running.stop(graceMs, this.parts.container.lifecycle?.stopSignal);
  }

  async #runPreStop(graceMs: number): Promise<void> {
    const { container, services } = this.parts;
    const patience = new AbortController();
    const tooLong = services.clock
      .sleep(graceMs, patience.signal)
      .then(() => ({ ok: false, message: 'it took longer than the grace period' }) as const)
      .catch(() => ({ ok: true }) as const);
    const result = await Promise.race([
      this.running.exited.then(() => ({ ok: true }) as const),
      runHandler(container.lifecycle?.preStop ?? {}, this.#target(), graceMs),
      tooLong,
    ]);
    patience.abort();
    if (!result.ok) this.#events().warning('FailedPreStopHook', `PreStopHook failed: ${result.message}`);
  }

  #failed(kind: 'Startup' | 'Liveness', probe: Probe): void {
    const { name } = this.parts.container;
    const what = `Container ${name} failed ${kind.toLowerCase()} probe, will be restarted`;
    this.#events().normal('Killing', what);
    this.#end(probe.terminationGracePeriodSeconds);
  }

  #end(graceSeconds: number | undefined): void {
    const { pod, onChange } = this.parts;
    const seconds = graceSeconds ?? pod().spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
    onChange({ ready: false });
    void this.stop(seconds * 1000).catch(() => undefined);
  }

  async #finish(): Promise<ContainerExit> {
    const exit = await this.running.exited;
    this.stopWatching();
    this.parts.log.close();
    return exit;
  }

  #target(): HandlerTarget {
    const { container, podAddress, services, running } = this.parts;
    return { container, running, podAddress, clock: services.clock };
  }

  #events() {
    return about(this.parts.services, this.parts.pod(), this.parts.container);
  }
}
