import type { Clock } from '@updraft/kit';
import { slept } from '../prober.ts';
import type { PodVolumes } from './volumes.ts';

const EVERY_MS = 10_000;

/** Looks now and then whether a volume has outgrown its limit; a pod without such volumes costs nothing. */
export async function watchSizes(
  volumes: PodVolumes,
  { clock, signal, onOutgrown }: { clock: Clock; signal: AbortSignal; onOutgrown: (message: string) => void },
): Promise<void> {
  while (volumes.hasLimits && (await slept(clock, EVERY_MS, signal))) {
    const message = await volumes.outgrown();
    if (message !== undefined && !signal.aborted) return onOutgrown(message);
  }
}
