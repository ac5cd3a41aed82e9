import type { Image } from '@updraft/oci';
import type { ContainerSpec, Mount, Resources } from '@updraft/pods';
import { parseQuantity } from '../kinds/quantity.ts';
import type { Container, Pod } from '../kinds/pod.ts';
import { environmentOf } from './environment.ts';
import { expand } from './expansion.ts';
import type { Surroundings } from './fields.ts';
import { securityOf } from './security.ts';
import type { KubeletServices } from './services.ts';

export interface ContainerParts {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: Image;
  readonly podAddress: string | undefined;
  /** Volumes and the termination message, ready to be bound. */
  readonly mounts: (env: Readonly<Record<string, string>>) => Promise<readonly Mount[]>;
}

/** Puts a pod's container and its image together. @throws NotYet for what is missing or not allowed. */
export async function containerSpec(
  services: KubeletServices,
  parts: ContainerParts,
): Promise<ContainerSpec> {
  const { pod, container, image } = parts;
  const config = image.config.config ?? {};
  const around: Surroundings = { podAddress: parts.podAddress, ...placeOf(services) };
  const security = securityOf(pod, container, { imageUser: config.User ?? '', grants: services.grants });
  const env = environmentOf(services.objects, pod, container, { ...around, imageEnv: config.Env ?? [] });
  const words = (list: readonly string[] | undefined) => list?.map((word) => expand(word, env));
  const stopSignal = container.lifecycle?.stopSignal ?? config.StopSignal;
  return {
    name: container.name,
    rootFs: {
      layers: await services.store.layerFolders(image.layers),
      readOnly: container.securityContext?.readOnlyRootFilesystem === true,
    },
    command: commandOf(config, words(container.command), words(container.args)),
    env: { ...env, HOSTNAME: hostnameOf(pod) },
    workingDir: container.workingDir ?? (config.WorkingDir || '/'),
    mounts: await parts.mounts(env),
    resources: resourcesOf(container),
    security,
    ...attendanceOf(container),
    ...(stopSignal ? { stopSignal } : {}),
  };
}

/** What it shares with whoever looks at it, or with the container that it looks at. */
const attendanceOf = ({ tty, targetContainerName }: Container): Partial<ContainerSpec> => ({
  ...(tty ? { terminal: true } : {}),
  ...(targetContainerName ? { processesOf: targetContainerName } : {}),
});

const placeOf = ({ nodeName, nodeAddress }: KubeletServices) => ({ nodeName, nodeAddress });

/** `command` replaces the image's entry point and its arguments; `args` alone replaces only the arguments. */
function commandOf(
  config: { readonly Entrypoint?: readonly string[]; readonly Cmd?: readonly string[] },
  command: readonly string[] | undefined,
  args: readonly string[] | undefined,
): string[] {
  const program = command?.length ? command : (config.Entrypoint ?? []);
  const rest = args?.length ? args : command?.length ? [] : (config.Cmd ?? []);
  return [...program, ...rest];
}

/** Processes and threads of one container: more than any needs, and fewer than would stop the machine. */
const MAX_PROCESSES = 4096;

function resourcesOf({ resources }: Container): Resources {
  const memoryBytes = parseQuantity(resources?.limits?.['memory']);
  const cores = parseQuantity(resources?.limits?.['cpu']);
  return {
    processes: MAX_PROCESSES,
    ...(memoryBytes === undefined ? {} : { memoryBytes: Math.ceil(memoryBytes) }),
    ...(cores === undefined ? {} : { cpuMillis: Math.max(1, Math.round(cores * 1000)) }),
  };
}

/** At most 63 characters: a longer pod name is cut, and never ends in a sign. */
export function hostnameOf({ metadata, spec }: Pod): string {
  return spec.hostname ?? metadata.name.slice(0, 63).replace(/[-.]+$/, '');
}
