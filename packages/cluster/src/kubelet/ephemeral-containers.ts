import type { Container, Pod } from '../kinds/pod.ts';
import type { ContainerRunner } from './container-runner.ts';

/** The ephemeral containers of one pod: each runs once, from the moment it is there while the pod has a place. */
export class EphemeralContainers {
  readonly #runnerOf: (container: Container) => ContainerRunner;
  readonly #runs = new Map<string, Promise<void>>();
  #isOpen = false;

  /** @param runnerOf makes a runner where there is none */
  constructor(runnerOf: (container: Container) => ContainerRunner) {
    this.#runnerOf = runnerOf;
  }

  /** There is a place to start them in. */
  open(pod: Pod): void {
    this.#isOpen = true;
    this.startNew(pod);
  }

  /** None is started from here on. */
  close(): void {
    this.#isOpen = false;
  }

  startNew({ spec }: Pod): void {
    if (!this.#isOpen) return;
    for (const container of spec.ephemeralContainers ?? []) this.follow(this.#runnerOf(container));
  }

  /** Sees to the end of one, which may have been started by an earlier daemon. */
  follow(runner: ContainerRunner): void {
    if (!this.#runs.has(runner.name)) this.#runs.set(runner.name, runner.run());
  }

  /** Resolves when those that were started have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#runs.values());
  }
}
