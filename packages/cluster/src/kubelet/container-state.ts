import { open } from 'node:fs/promises';
import { formatReference, parseReference } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import { timestamp } from '@updraft/kit';
import type { ContainerExit, LeftContainer } from '@updraft/pods';
import type { Container, ContainerStatus, PodSpec } from '../kinds/pod.ts';
import type { LogFile } from './log-file.ts';

const MAX_LAST_WORDS = 4096;
/** What stands in for last words that were not written. */
const LOG_LINES = 80;
const LOG_BYTES = 2048;

type Terminated = NonNullable<ContainerStatus['state']['terminated']>;

/** Before its first start; `before` is what a killed daemon left. */
export function notStarted(
  container: Container,
  before: ContainerStatus | undefined,
  reason: string,
): ContainerStatus {
  return {
    name: container.name,
    state: { waiting: { reason } },
    lastState: before?.lastState ?? {},
    ready: false,
    started: false,
    restartCount: before?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
  };
}

function exitReason(exit: ContainerExit): string {
  if (exit.kind !== 'exited') return 'StartError';
  if (exit.outOfMemory && exit.code !== 0) return 'OOMKilled';
  return exit.code === 0 ? 'Completed' : 'Error';
}

/** What is known of one run of a container when it has ended. */
export interface RunFacts {
  readonly startedMs: number;
  /** Absent: now. */
  readonly endedMs?: number | undefined;
  readonly terminationFile: string;
  readonly log: LogFile;
}

const NOT_STARTED_CODE = 128;

/** How a run ended, as the status shows it. */
export async function terminatedState(
  container: Container,
  exit: ContainerExit,
  run: RunFacts & { readonly endedMs: number },
): Promise<Terminated> {
  const code = exit.kind === 'exited' ? exit.code : NOT_STARTED_CODE;
  const words = exit.kind !== 'exited' ? exit.message : await lastWords(run.terminationFile);
  const fallsBack = container.terminationMessagePolicy === 'FallbackToLogsOnError' && code !== 0;
  const message = words === '' && fallsBack ? await run.log.lastLines(LOG_LINES, LOG_BYTES) : words;
  return {
    exitCode: code,
    reason: exitReason(exit),
    ...(message === '' ? {} : { message }),
    startedAt: timestamp(run.startedMs),
    finishedAt: timestamp(run.endedMs),
  };
}

/** What is kept with a running container, so that a later daemon finds its status again. */
export function labelsOf({
  restartCount,
  containerID = '',
  imageID,
}: ContainerStatus): Record<string, string> {
  return { restartCount: String(restartCount), containerID, imageID };
}

/**
 * The status of a container that an earlier daemon started: what it wrote last holds if it wrote that of this very
 * instance; it may have died before.
 */
export function resumedStatus(
  container: Container,
  { labels, startedMs }: LeftContainer,
  before: ContainerStatus | undefined,
): ContainerStatus {
  const { containerID = '', imageID = '', restartCount = '0' } = labels;
  if (before?.containerID === containerID && before.state.running) return before;
  return {
    ...notStarted(container, before, ''),
    state: { running: { startedAt: timestamp(startedMs) } },
    started: container.startupProbe === undefined,
    restartCount: Number(restartCount),
    imageID,
    containerID,
  };
}

const KILLED_CODE = 137;

/** Of a container that was running, or about to, when its daemon died, and of which nothing is left. */
export function lostStatus(status: ContainerStatus, nowMs: number): ContainerStatus {
  if (status.state.terminated) return status;
  const startedAt = status.state.running?.startedAt;
  const terminated = {
    exitCode: KILLED_CODE,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the platform started again',
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt: timestamp(nowMs),
  };
  return { ...status, state: { terminated }, ready: false, started: false };
}

/** Whether an end needs no restart. */
export function hasEndedForGood(
  status: ContainerStatus | undefined,
  policy: PodSpec['restartPolicy'],
): boolean {
  const code = status?.state.terminated?.exitCode;
  return code !== undefined && (policy === 'Never' || (policy === 'OnFailure' && code === 0));
}

/** Whether a container has begun its work at some time. */
export const hasRun = ({ state }: ContainerStatus) =>
  state.running !== undefined || state.terminated !== undefined;

/** What the container wrote to its termination file: the program's own reason for its end. */
async function lastWords(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  try {
    // A container may make it as large as it likes: only its end is read.
    const { size = 0 } = (await handle?.stat()) ?? {};
    const words = Buffer.alloc(Math.min(size, MAX_LAST_WORDS));
    const read = await handle?.read(words, 0, words.length, Math.max(0, size - MAX_LAST_WORDS));
    return words.toString('utf8', 0, read?.bytesRead);
  } catch {
    return '';
  } finally {
    await handle?.close();
  }
}

/** The image's digest under the name the container was given. */
export function imageId(image: Image, name: string): string {
  const { registry, repository } = parseReference(name);
  return formatReference({ registry, repository, tag: undefined, digest: image.digest });
}
