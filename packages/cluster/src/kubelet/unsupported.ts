import type { Pod } from '../kinds/pod.ts';

type Checks = Readonly<Record<string, (pod: Pod & { spec: Record<string, unknown> }) => boolean>>;

/** What a pod may ask for and does not get here, as far as leaving it out does not keep the pod from working. */
const IGNORED: Checks = {
  hostNetwork: ({ spec }) => spec.hostNetwork === true,
  hostPID: ({ spec }) => spec['hostPID'] === true,
  hostIPC: ({ spec }) => spec['hostIPC'] === true,
  shareProcessNamespace: ({ spec }) => spec['shareProcessNamespace'] === true,
  runtimeClassName: ({ spec }) => spec['runtimeClassName'] !== undefined,
  'ports.hostPort': ({ spec }) =>
    spec.containers.some(({ ports }) => ports?.some(({ hostPort }) => hostPort)),
  'securityContext.sysctls': ({ spec }) => (spec.securityContext?.sysctls ?? []).length > 0,
  'securityContext.seccompProfile.localhostProfile': ({ spec }) =>
    [spec.securityContext, ...spec.containers.map(({ securityContext }) => securityContext)].some(
      (security) => security?.seccompProfile?.type === 'Localhost',
    ),
};

/** The names of those fields, to be said in an event rather than passed over. */
export function ignoredFields(pod: Pod): string[] {
  return Object.keys(IGNORED).filter((field) => IGNORED[field]?.(pod as never));
}
