import { cpus, freemem, totalmem } from 'node:os';
import type { Clock } from '@updraft/kit';
import type { Node } from '../kinds/core.ts';
import type { Pod } from '../kinds/pod.ts';
import { usageMeter } from './usage.ts';
import type { ContainerReading, MetricsPort } from './usage.ts';

const NANOSECONDS = 1_000_000;

/** The machine as one reading: every core's busy time, and the memory that is not to be had. */
function readMachine(): readonly ContainerReading[] {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const cpuNanoseconds = BigInt(Math.round(busyMs * NANOSECONDS));
  return [{ name: 'machine', instance: '', cpuNanoseconds, memoryBytes: totalmem() - freemem() }];
}

/** Measures pods through the kubelet and the node by what the machine says of itself. */
export function machineMetrics(options: {
  readonly clock: Clock;
  readonly readPod: (pod: Pod) => Promise<readonly ContainerReading[]>;
}): MetricsPort {
  const { clock, readPod } = options;
  return {
    usage: usageMeter<Pod>({ clock, read: readPod }),
    nodeUsage: usageMeter<Node>({ clock, read: async () => readMachine() }),
  };
}
