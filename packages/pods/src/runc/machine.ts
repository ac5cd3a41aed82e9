import type { Clock, Logger } from '@updraft/kit';
import type { BridgeNetwork } from '../network/platform-network.ts';
import type { Cgroups } from './cgroups.ts';
import type { TargetLayers } from './target-layers.ts';

/** What all pods of one runc runtime share. */
export interface Machine {
  /** The group all the platform's groups are in: `/updraft-<id>`. */
  readonly group: string;
  /** runc's own state. */
  readonly state: string;
  /** The lowest layer of each container: targets for its mounts. */
  readonly targets: TargetLayers;
  readonly cgroups: Cgroups;
  readonly capabilities: ReadonlySet<string>;
  /** Which limits this host can hold: `memory`, `cpu`, `pids`, and `swap`. */
  readonly limitable: ReadonlySet<string>;
  readonly network: BridgeNetwork | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}
