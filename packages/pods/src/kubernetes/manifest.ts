import { createHash } from 'node:crypto';
import { PodsFault } from '../fault.ts';
import type { ContainerSpec, PodPlan, PodSpec, SecurityContext } from '../types.ts';

/** What says whose a pod or a secret is. */
export const PLATFORM_LABEL = 'updraft.dev/platform';
export const NAME_ANNOTATION = 'updraft.dev/name';
export const HELPER = 'helper';
export const MAIN = 'main';

export interface ManifestPlace {
  /** Of the platform. */
  readonly id: string;
  readonly helperImage: string;
}

/** A name that Kubernetes takes; what has to be changed for that keeps what makes it unique. */
export function objectName(id: string, name: string): string {
  const wanted = `ud-${id}-${name}`;
  const plain = wanted.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  if (plain === wanted && plain.length <= 63) return plain;
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 8);
  return `${plain.slice(0, 54).replace(/-+$/, '')}-${hash}`;
}

/** Names of variables that every version of Kubernetes takes. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9._-]*$/;

/** Which variables cannot be given to a container that Kubernetes itself starts. */
export const unnameable = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(env).filter((name) => !VARIABLE.test(name));

const envSecret = (pod: string, container: string): string => `${pod}-${container}`.slice(0, 253);

/**
 * What of a pod is secret: the variables of the containers that Kubernetes starts, and the registries' passwords. They
 * stand in Secrets, which fewer may read than pods, and go with the pod.
 */
export function secretManifests(spec: PodSpec, plan: PodPlan, place: ManifestPlace): readonly object[] {
  const name = objectName(place.id, spec.name);
  const metadata = (secret: string) => ({ name: secret, labels: labelsOf(place) });
  const variables = plan.beside.map((container) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(envSecret(name, container.name)),
    type: 'Opaque',
    stringData: Object.fromEntries(Object.entries(container.env).filter(([key]) => VARIABLE.test(key))),
  }));
  if (plan.registryConfig === undefined) return variables;
  return [
    ...variables,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(`${name}-registries`),
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': plan.registryConfig },
    },
  ];
}

const labelsOf = ({ id }: ManifestPlace): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'updraft',
  [PLATFORM_LABEL]: id,
});

/** @throws PodsFault UNSUPPORTED for what a cluster cannot be asked for */
export function podManifest(spec: PodSpec, plan: PodPlan, place: ManifestPlace): object {
  if (spec.network !== undefined && spec.network !== 'pod') {
    throw unsupported(
      `the network ${spec.network}`,
      'Network policies of the cluster decide what a pod reaches.',
    );
  }
  const name = objectName(place.id, spec.name);
  const groups = plan.main.security?.supplementalGroups;
  const registries = plan.registryConfig === undefined ? [] : [{ name: `${name}-registries` }];
  const hasFolders = plan.folders.length > 0;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: labelsOf(place),
      annotations: { [NAME_ANNOTATION]: spec.name, ...annotationsOf(spec) },
    },
    spec: {
      restartPolicy: 'Never',
      hostname: spec.hostname
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]/g, '-')
        .slice(0, 63),
      // Nothing in it speaks to the cluster by itself.
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      ...(plan.deadlineSeconds === undefined ? {} : { activeDeadlineSeconds: plan.deadlineSeconds }),
      ...(registries.length > 0 ? { imagePullSecrets: registries } : {}),
      ...(groups ? { securityContext: { supplementalGroups: groups } } : {}),
      hostAliases: hostAliases(spec.hosts ?? {}),
      ...dnsOf(spec),
      containers: [
        mainContainer(plan),
        ...(hasFolders ? [helperContainer(plan, place)] : []),
        ...plan.beside.map((container) => besideContainer(container, name)),
      ],
      volumes: plan.folders.map((_folder, index) => ({ name: `folder-${index}`, emptyDir: {} })),
    },
  };
}

const annotationsOf = ({ labels = {} }: PodSpec): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [`updraft.dev/${key.replaceAll('/', '.')}`, value]),
  );

function hostAliases(hosts: Readonly<Record<string, string>>): readonly object[] {
  const byAddress = new Map<string, string[]>();
  for (const [name, address] of Object.entries(hosts)) {
    byAddress.set(address, [...(byAddress.get(address) ?? []), name.toLowerCase()]);
  }
  // Names that Kubernetes does not take (GitLab's spelling with two underscores is one) would have it refuse the pod.
  const valid = (name: string) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name);
  return [...byAddress]
    .map(([ip, names]) => ({ ip, hostnames: names.filter(valid) }))
    .filter(({ hostnames }) => hostnames.length > 0);
}

function dnsOf({ dnsSearch, dnsOptions }: PodSpec): object {
  if (!dnsSearch && !dnsOptions) return {};
  const options = (dnsOptions ?? []).map((option) => {
    const [name, value] = option.split(':');
    return value === undefined ? { name } : { name, value };
  });
  return { dnsConfig: { ...(dnsSearch ? { searches: dnsSearch } : {}), options } };
}

const mountsOf = ({ folders }: PodPlan): readonly object[] =>
  folders.map((mountPath, index) => ({ name: `folder-${index}`, mountPath }));

/** A shell that waits until it is told to end; what runs in the container is started beside it. */
const WAIT = ['sh', '-c', `trap 'exit 0' TERM INT; while :; do sleep 3600 & wait "$!"; done`];

function mainContainer(plan: PodPlan): object {
  const { image, resources, security } = plan.main;
  if (!image)
    throw unsupported('a container without an image', 'Name an image, so that the cluster can pull it.');
  if (resources?.processes !== undefined) {
    throw unsupported('a limit of processes', 'The nodes of the cluster set it for all of their pods.');
  }
  const limits = limitsOf(resources);
  return {
    name: MAIN,
    image: image.name,
    ...pullPolicy(image.pullPolicy),
    command: WAIT,
    ...(limits ? { resources: { limits } } : {}),
    securityContext: securityOf(security),
    volumeMounts: mountsOf(plan),
  };
}

function helperContainer(plan: PodPlan, { helperImage }: ManifestPlace): object {
  return { name: HELPER, image: helperImage, command: WAIT, volumeMounts: mountsOf(plan) };
}

function besideContainer(container: PodPlan['beside'][number], pod: string): object {
  const { image, name, resources, security, readyPort, workingDir } = container;
  if (!image) throw unsupported('a service without an image', 'Name its image.');
  const limits = limitsOf(resources);
  return {
    name,
    image: image.name,
    ...pullPolicy(image.pullPolicy),
    ...(image.entrypoint ? { command: image.entrypoint } : {}),
    ...(image.args ? { args: image.args } : {}),
    ...(workingDir === '' ? {} : { workingDir }),
    envFrom: [{ secretRef: { name: envSecret(pod, name) } }],
    ...(limits ? { resources: { limits } } : {}),
    ...(security?.user === undefined ? {} : { securityContext: userOf(security.user) }),
    ...(readyPort === undefined
      ? {}
      : { readinessProbe: { tcpSocket: { port: readyPort }, periodSeconds: 1, failureThreshold: 1 } }),
  };
}

const POLICIES = { always: 'Always', 'if-not-present': 'IfNotPresent', never: 'Never' } as const;

const pullPolicy = (policy: keyof typeof POLICIES | undefined): object =>
  policy === undefined ? {} : { imagePullPolicy: POLICIES[policy] };

function limitsOf(resources: ContainerSpec['resources']): Record<string, string> | undefined {
  const limits = {
    ...(resources?.memoryBytes === undefined ? {} : { memory: String(resources.memoryBytes) }),
    ...(resources?.cpuMillis === undefined ? {} : { cpu: `${resources.cpuMillis}m` }),
  };
  return Object.keys(limits).length > 0 ? limits : undefined;
}

function securityOf(security: SecurityContext = {}): object {
  const bare = (names: readonly string[]) => names.map((name) => name.replace(/^CAP_/i, '').toUpperCase());
  const { addCapabilities, dropCapabilities, allowPrivilegeEscalation, seccomp, user } = security;
  const capabilities = {
    ...(addCapabilities?.length ? { add: bare(addCapabilities) } : {}),
    ...(dropCapabilities?.length ? { drop: bare(dropCapabilities) } : {}),
  };
  return {
    ...(user === undefined ? {} : userOf(user)),
    ...(Object.keys(capabilities).length > 0 ? { capabilities } : {}),
    ...(allowPrivilegeEscalation === undefined ? {} : { allowPrivilegeEscalation }),
    seccompProfile: { type: seccomp === false ? 'Unconfined' : 'RuntimeDefault' },
  };
}

/** @throws PodsFault UNSUPPORTED: Kubernetes looks no names up */
function userOf(user: string): object {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid === undefined) {
    throw unsupported(`the user ${user}`, 'Kubernetes knows users by numbers: write UID or UID:GID.');
  }
  return { runAsUser: Number(uid), ...(gid === undefined ? {} : { runAsGroup: Number(gid) }) };
}

export const unsupported = (what: string, next: string): PodsFault =>
  new PodsFault('UNSUPPORTED', `${what} cannot be had of a cluster`, { next });
