import { readFile } from 'node:fs/promises';
import { formatReference, parseReference } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import type { ContainerExit } from '@updraft/pods';
import type { Container, ContainerStatus } from '../kinds/pod.ts';

const MAX_LAST_WORDS = 4096;

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

export function exitReason(exit: ContainerExit): string {
  if (exit.kind === 'couldNotStart') return 'StartError';
  if (exit.outOfMemory) return 'OOMKilled';
  return exit.code === 0 ? 'Completed' : 'Error';
}

/** What the container wrote to its termination file: the program's own reason for its end. */
export async function lastWords(file: string): Promise<string> {
  try {
    const content = await readFile(file);
    return content.subarray(Math.max(0, content.length - MAX_LAST_WORDS)).toString('utf8');
  } catch {
    return '';
  }
}

/** The image's digest under the name the container was given. */
export function imageId(image: Image, name: string): string {
  const { registry, repository } = parseReference(name);
  return formatReference({ registry, repository, tag: undefined, digest: image.digest });
}
