import { messageOf } from '@updraft/kit';
import type { AdoptedPod, LeftContainer, Pod as Sandbox } from '@updraft/pods';
import type { Container, ContainerStatus, Pod } from '../kinds/pod.ts';
import { hasRun, lostStatus, resumedStatus, terminatedState } from './container-state.ts';
import { openLog } from './pod-logs.ts';
import { sandboxName } from './sandbox.ts';
import type { KubeletServices } from './services.ts';
import type { PodVolumes } from './volumes/volumes.ts';

/** What there is of a pod that an earlier daemon ran. */
export interface Revival {
  /** Its network lives, and everything goes on in it. Absent: it is to be made anew. */
  readonly sandbox: Sandbox | undefined;
  /** Containers to be taken over. */
  readonly left: ReadonlyMap<string, LeftContainer>;
  /** Containers that have ended, and how. */
  readonly ended: ReadonlyMap<string, ContainerStatus>;
}

export function statusesOf({ status }: Pod): ContainerStatus[] {
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
}

/**
 * Takes over what runs of a pod, and finds out how the rest has ended. Where the network is gone, what may still be
 * running in it is ended: it could not work.
 */
export async function revive(services: KubeletServices, pod: Pod, volumes: PodVolumes): Promise<Revival> {
  const adopted = await adopt(services, pod);
  const before = new Map(statusesOf(pod).map((status) => [status.name, status]));
  const nowMs = services.clock.now();
  const lost = [...before.values()].filter(hasRun).map((status) => lostStatus(status, nowMs));
  const ended = new Map(lost.map((status) => [status.name, status]));
  if (!adopted) return { sandbox: undefined, left: new Map(), ended };
  const left = new Map(adopted.containers.map((container) => [container.name, container]));
  if (adopted.intact) {
    for (const name of left.keys()) ended.delete(name);
    return { sandbox: adopted.pod, left, ended };
  }
  for (const container of containersOf(pod)) {
    const one = left.get(container.name);
    if (!one) continue;
    const status = await finish(services, { pod, container, volumes }, one, before.get(container.name));
    ended.set(container.name, status);
  }
  await adopted.pod.remove();
  return { sandbox: undefined, left: new Map(), ended };
}

export const containersOf = ({ spec }: Pod): Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];

async function adopt(services: KubeletServices, pod: Pod): Promise<AdoptedPod | undefined> {
  try {
    return await services.runtime.adopt(sandboxName(pod));
  } catch (error) {
    services.logger.log('warn', 'a pod could not be taken over and starts anew', {
      pod: pod.metadata.name,
      error: messageOf(error),
    });
    return undefined;
  }
}

/** The true end of a container, with what it printed last. */
async function finish(
  services: KubeletServices,
  { pod, container, volumes }: { pod: Pod; container: Container; volumes: PodVolumes },
  left: LeftContainer,
  before: ContainerStatus | undefined,
): Promise<ContainerStatus> {
  const status = resumedStatus(container, left, before);
  const log = openLog(services, pod, container.name, status.restartCount);
  const running = await left.attach({
    onStdout: (chunk) => log.append('stdout', chunk),
    onStderr: (chunk) => log.append('stderr', chunk),
  });
  await running.stop(0);
  const exit = await running.exited;
  log.close();
  const { containerID } = status;
  const terminated = await terminatedState(container, exit, {
    startedMs: left.startedMs,
    endedMs: left.endedMs ?? services.clock.now(),
    terminationFile: volumes.terminationPath(container),
    log,
  });
  const state = { terminated: { ...terminated, ...(containerID === undefined ? {} : { containerID }) } };
  return { ...status, state, ready: false, started: false };
}
