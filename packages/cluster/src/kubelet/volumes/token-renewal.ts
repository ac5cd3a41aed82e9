import type { Clock } from '@updraft/kit';
import type { Pod } from '../../kinds/pod.ts';
import { slept } from '../prober.ts';
import { DEFAULT_TOKEN_SECONDS } from './sources.ts';
import type { PodVolumes } from './volumes.ts';

/** As Kubernetes' kubelet: when four fifths of a token's time are over, and once a day. */
const PART_OF_LIFE = 0.8;
const LONGEST_MS = 24 * 3600 * 1000;
const RETRY_MS = 60_000;

/** How old the shortest-lived token of a pod's volumes may grow; undefined: they hold none. */
export function tokensLastMs({ spec }: Pod): number | undefined {
  const seconds = (spec.volumes ?? [])
    .flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken: token }) =>
      token ? [token.expirationSeconds ?? DEFAULT_TOKEN_SECONDS] : [],
    );
  return seconds.length === 0 ? undefined : Math.min(LONGEST_MS, Math.min(...seconds) * PART_OF_LIFE * 1000);
}

export interface RenewalOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of the tokens that are there: nobody knows how old those of an earlier daemon are. */
  readonly isAgeKnown: boolean;
  readonly onFault: (error: unknown) => void;
}

/** Writes tokens of service accounts anew before they run out, until `signal`; a pod without such volumes costs nothing. */
export async function renewTokens(
  volumes: Pick<PodVolumes, 'refresh'>,
  lastMs: number | undefined,
  { clock, signal, isAgeKnown, onFault }: RenewalOptions,
): Promise<void> {
  if (lastMs === undefined) return;
  let restMs = isAgeKnown ? lastMs : 0;
  while (await slept(clock, restMs, signal)) {
    try {
      await volumes.refresh({ resource: 'tokens', name: '' });
      restMs = lastMs;
    } catch (error) {
      onFault(error);
      restMs = RETRY_MS;
    }
  }
}
