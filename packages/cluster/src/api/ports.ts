import type { Readable } from 'node:stream';
import type { Process } from '@updraft/pods';
import type { KubeObject } from '../store/types.ts';

export interface LogOptions {
  /** Always given; the API has chosen the default one and checked that the pod has it. */
  readonly container: string;
  /** Go on until the container has ended or the stream is destroyed. */
  readonly follow: boolean;
  /** The instance before the present one. */
  readonly previous: boolean;
  /** Put an RFC 3339 time with nanoseconds and a blank before each line. */
  readonly timestamps: boolean;
  readonly tailLines?: number;
  /** Only lines printed at or after this time (milliseconds since 1970). */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
}

export interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  readonly terminal: boolean;
  readonly stdin?: Readable;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
}

/** What the API server asks of the kubelet. */
export interface KubeletPort {
  /** @throws ClusterFault NOT_FOUND when that instance of the container is unknown. */
  logs(pod: KubeObject, options: LogOptions): Promise<Readable>;
  /**
   * Runs a command in a running container. A command that cannot be started is `exited` with `couldNotStart`.
   * @throws ClusterFault NOT_FOUND when the container does not run.
   */
  exec(pod: KubeObject, options: ExecOptions): Promise<Process>;
}
