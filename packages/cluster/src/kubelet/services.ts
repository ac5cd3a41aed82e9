import type { Clock, Logger } from '@updraft/kit';
import type { ImageStore } from '@updraft/oci';
import type { Runtime } from '@updraft/pods';
import type { TokenIssuer } from '../api/tokens.ts';
import type { Deletion } from '../controllers/controller.ts';
import type { EventRecorder } from '../controllers/event-recorder.ts';
import type { Objects } from '../kinds/objects.ts';
import type { Pod } from '../kinds/pod.ts';
import type { Grant, ImageProvider } from '../types.ts';

/** What the kubelet works with. */
export interface KubeletServices {
  /** Volumes and logs of pods lie inside. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly objects: Objects;
  readonly events: EventRecorder;
  readonly deletion: Deletion;
  readonly runtime: Runtime;
  readonly store: ImageStore;
  readonly images: ImageProvider;
  readonly tokens: TokenIssuer;
  readonly clusterDomain: string;
  /** Parts of the host that pods may have. */
  readonly grants: ReadonlySet<Grant>;
  readonly nodeName: string;
  /** The bridge's address: what a pod sees as its host. */
  readonly nodeAddress: string;
  /** Resolves when nobody sends the pod new connections any more: before that its containers get no signal. */
  readonly drained: (pod: Pod) => Promise<void>;
}

/**
 * Why a container cannot be made now: shown as its waiting reason and tried again, since what it lacks may appear.
 */
export class NotYet extends Error {
  override readonly name: string = 'NotYet';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export const configError = (message: string) => new NotYet('CreateContainerConfigError', message);

/** How Kubernetes names a pod in messages. */
export const podLabel = ({ metadata }: Pod) => `${metadata.name}_${metadata.namespace}(${metadata.uid})`;

/** Why a part of the host is not given, and who can change that. */
export const notGranted = (what: string) =>
  `${what} is not allowed on this cluster; whoever starts the platform grants it by UPDRAFT_CLUSTER_ALLOW=${what}`;
