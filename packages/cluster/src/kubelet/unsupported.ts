import type { Container, Pod, PodSpec } from '../kinds/pod.ts';
import type { Grant } from '../types.ts';

type Checks = Readonly<Record<string, (pod: Pod & { spec: Record<string, unknown> }) => boolean>>;

/** What a pod may ask for and does not get here, as far as leaving it out does not keep the pod from working. */
const IGNORED: Checks = {
  shareProcessNamespace: ({ spec }) => spec['shareProcessNamespace'] === true,
  runtimeClassName: ({ spec }) => spec.runtimeClassName !== undefined,
  'ports.hostPort': ({ spec }) =>
    containersOf(spec).some(({ ports }) => ports?.some(({ hostPort }) => hostPort)),
  hostUsers: ({ spec }) => spec['hostUsers'] === false,
  'resources.limits.ephemeral-storage': ({ spec }) =>
    containersOf(spec).some(({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined),
  'securityContext.seLinuxOptions': ({ spec }) => anySecurity(spec, 'seLinuxOptions'),
  'securityContext.appArmorProfile': ({ spec }) => anySecurity(spec, 'appArmorProfile'),
  'securityContext.windowsOptions': ({ spec }) => anySecurity(spec, 'windowsOptions'),
  'securityContext.supplementalGroupsPolicy': ({ spec }) =>
    (spec.securityContext as Loose | undefined)?.['supplementalGroupsPolicy'] === 'Strict',
  'volumeMounts.recursiveReadOnly': ({ spec }) =>
    containersOf(spec).some(({ volumeMounts }) =>
      volumeMounts?.some((mount) => ((mount as Loose)['recursiveReadOnly'] ?? 'Disabled') !== 'Disabled'),
    ),
  'container.resizePolicy': ({ spec }) =>
    containersOf(spec).some((container) => (container as Loose)['resizePolicy'] !== undefined),
  volumeDevices: ({ spec }) => containersOf(spec).some((container) => (container as Loose)['volumeDevices']),
};

type Loose = Readonly<Record<string, unknown>>;

const containersOf = ({ containers, initContainers = [] }: PodSpec): Container[] => [
  ...initContainers,
  ...containers,
];

function anySecurity(spec: PodSpec, field: string): boolean {
  const all = [spec.securityContext, ...containersOf(spec).map(({ securityContext }) => securityContext)];
  return all.some((security) => (security as Loose | undefined)?.[field] !== undefined);
}

/** The names of those fields, to be said in an event rather than passed over. */
export function ignoredFields(pod: Pod, grants: ReadonlySet<Grant>): string[] {
  const given = grants.has('hostNetwork') ? ['ports.hostPort'] : [];
  return Object.keys(IGNORED).filter((field) => !given.includes(field) && IGNORED[field]?.(pod as never));
}
