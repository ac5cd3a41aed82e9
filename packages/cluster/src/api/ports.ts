import type { Duplex, Readable } from 'node:stream';
import type { ContainerExit, Process } from '@updraft/pods';
import type { MetricsPort } from '../metrics/usage.ts';
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

/** Takes output in order. A promise: no more, please, until it resolves. */
export type OutputSink = (chunk: Buffer) => void | Promise<void>;

export interface AttachOptions {
  readonly container: string;
  readonly stdin?: Readable;
  readonly onStdout: OutputSink;
  readonly onStderr: OutputSink;
}

export interface ExecOptions extends AttachOptions {
  readonly command: readonly string[];
  readonly terminal: boolean;
}

/** A client's hold on a process that it did not start itself. */
export interface Attachment {
  /** Resolves when the process has ended and all its output was delivered. */
  readonly exited: Promise<ContainerExit>;
  resize?(columns: number, rows: number): void;
  /** The client is gone. Safe to call twice and after the end. */
  detach(): void;
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
  /**
   * Joins the container's own process: what it prints from now on, and its input when it has one.
   * @throws ClusterFault NOT_FOUND when the container does not run.
   */
  attach(pod: KubeObject, options: AttachOptions): Promise<Attachment>;
  /**
   * A connection to a port of the pod, made inside its network: what listens on its loopback is reached as well. Half open
   * when one side has ended. Rejects, in the words of a dialler, when nobody listens there.
   */
  forward(pod: KubeObject, port: number): Promise<Duplex>;
  /** What is used; undefined where nobody measures. */
  readonly metrics?: MetricsPort;
}
