import type { Container, Pod } from '../kinds/pod.ts';

export type ContainerRole = 'init' | 'sidecar' | 'app' | 'ephemeral';

/** What a container is to its pod: it says when it starts, whether it starts again, and in which order it ends. */
export function roleOf({ spec }: Pod, { name, restartPolicy }: Container): ContainerRole {
  const isIn = (list: readonly Container[] = []) => list.some((each) => each.name === name);
  if (isIn(spec.ephemeralContainers)) return 'ephemeral';
  if (!isIn(spec.initContainers)) return 'app';
  return restartPolicy === 'Always' ? 'sidecar' : 'init';
}
