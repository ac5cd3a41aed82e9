import type { Clock } from '@updraft/kit';
import type { Node } from '../kinds/core.ts';
import type { Pod } from '../kinds/pod.ts';

/** What a container has used since it started, and holds now. */
export interface ContainerReading {
  readonly name: string;
  /** Distinguishes a container from its successor of the same name. */
  readonly instance: string;
  readonly cpuNanoseconds: bigint;
  readonly memoryBytes: number;
}

export interface ContainerUsage {
  readonly name: string;
  /** Thousandths of a core, over the window. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

/** Of a pod, or of the node as if it were one. */
export interface PodUsage {
  readonly atMs: number;
  readonly windowMs: number;
  readonly containers: readonly ContainerUsage[];
}

/** By uid. What does not run is absent. */
export type Usages = ReadonlyMap<string, PodUsage>;

/** Who knows what pods use. */
export interface UsagePort {
  usage(pods: readonly Pod[]): Promise<Usages>;
}

/** The same for nodes: the whole machine, whoever uses it. */
export interface MetricsPort extends UsagePort {
  nodeUsage(nodes: readonly Node[]): Promise<Usages>;
}

interface Identified {
  readonly metadata: { readonly uid: string };
}

interface Sample {
  readonly atMs: number;
  readonly elapsedMs: number;
  readonly readings: ReadonlyMap<string, ContainerReading>;
}

/** A shorter time says more about the moment than about the pod. */
const SHORTEST_MS = 5000;
const FIRST_LOOK_MS = 1000;
/** Samples that nobody asked about for so long say nothing about now. */
const FORGOTTEN_MS = 120_000;

/**
 * Turns counters into rates. It reads only when it is asked, so that what nobody looks at costs nothing; who asks for the first
 * time waits a second for a rate.
 */
export function usageMeter<T extends Identified>(options: {
  readonly clock: Clock;
  readonly read: (thing: T) => Promise<readonly ContainerReading[]>;
}): (things: readonly T[]) => Promise<Usages> {
  const { clock, read } = options;
  const kept = new Map<string, Sample>();
  const sample = async (thing: T): Promise<Sample> => {
    const readings = await read(thing);
    const byName = new Map(readings.map((reading) => [`${reading.name} ${reading.instance}`, reading]));
    return { atMs: clock.now(), elapsedMs: clock.elapsed(), readings: byName };
  };
  const measure = async (thing: T): Promise<[string, PodUsage] | undefined> => {
    const { uid } = thing.metadata;
    const known = kept.get(uid);
    let now = await sample(thing);
    let before = known;
    if (!before || now.elapsedMs - before.elapsedMs > FORGOTTEN_MS) {
      before = now;
      await clock.sleep(FIRST_LOOK_MS);
      now = await sample(thing);
    }
    // The older sample stays until the newer one is far enough from it.
    if (before !== known || now.elapsedMs - before.elapsedMs >= SHORTEST_MS) {
      kept.set(uid, before === known ? now : before);
    }
    return now.readings.size === 0 ? undefined : [uid, rateBetween(before, now)];
  };
  return async (things) => {
    const measured = await Promise.all(things.map(measure));
    for (const [uid, { elapsedMs }] of kept) {
      if (clock.elapsed() - elapsedMs > FORGOTTEN_MS) kept.delete(uid);
    }
    return new Map(measured.flatMap((entry) => (entry ? [entry] : [])));
  };
}

/** A container that was not there before has used all it used in this window. */
function rateBetween(before: Sample, now: Sample): PodUsage {
  const windowMs = Math.max(1, now.elapsedMs - before.elapsedMs);
  const containers = [...now.readings].map(([key, reading]) => {
    const used = reading.cpuNanoseconds - (before.readings.get(key)?.cpuNanoseconds ?? 0n);
    const cpuMilli = Math.max(0, Number(used) / 1000 / windowMs);
    return { name: reading.name, cpuMilli, memoryBytes: reading.memoryBytes };
  });
  return { atMs: now.atMs, windowMs, containers };
}
