import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { exists, messageOf } from '@updraft/kit';
import type { LogOptions } from '../api/ports.ts';
import { ClusterFault } from '../fault.ts';
import type { Pod } from '../kinds/pod.ts';
import { LogFile } from './log-file.ts';
import { logReader } from './log-reader.ts';
import type { KubeletServices } from './services.ts';

type Parts = Pick<KubeletServices, 'dir' | 'clock' | 'logger'>;

/** Instances of a container whose logs are kept. */
const KEPT = 2;

function podFolder(dir: string, { metadata }: Pick<Pod, 'metadata'>): string {
  return path.join(dir, 'logs', `${metadata.namespace}_${metadata.name}_${metadata.uid}`);
}

const instanceFile = (folder: string, container: string, instance: number) =>
  path.join(folder, container, `${instance}.log`);

/** A new log for a container instance; the one before the last is let go. */
export function openLog(parts: Parts, pod: Pod, container: string, instance: number): LogFile {
  const folder = podFolder(parts.dir, pod);
  const onError = (error: unknown) =>
    parts.logger.log('error', 'lines of a log were lost', {
      pod: pod.metadata.name,
      container,
      error: messageOf(error),
    });
  const old = instanceFile(folder, container, instance - KEPT);
  void Promise.all([rm(old, { force: true }), rm(`${old}.1`, { force: true })]).catch(onError);
  return new LogFile(instanceFile(folder, container, instance), { clock: parts.clock, onError });
}

/** @throws ClusterFault NOT_FOUND when that instance has left no log */
export async function readPodLog(
  parts: Parts,
  pod: Pod,
  options: LogOptions,
  live: { readonly log: LogFile | undefined; readonly instance: number },
): Promise<Readable> {
  const instance = options.previous ? live.instance - 1 : live.instance;
  const file = instanceFile(podFolder(parts.dir, pod), options.container, instance);
  const log = options.previous ? undefined : live.log;
  if (!log && !(await exists(file))) {
    const which = options.previous ? 'previous terminated container' : 'container';
    throw new ClusterFault(
      'NOT_FOUND',
      `${which} "${options.container}" in pod "${pod.metadata.name}" not found`,
    );
  }
  return logReader(file, log, options);
}

export async function removeLogs(parts: Parts, pod: Pick<Pod, 'metadata'>): Promise<void> {
  await rm(podFolder(parts.dir, pod), { recursive: true, force: true });
}
