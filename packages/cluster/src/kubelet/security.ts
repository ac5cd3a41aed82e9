import type { SecurityContext } from '@updraft/pods';
import type { Container, ContainerSecurity, Pod, PodSecurity } from '../kinds/pod.ts';
import type { Grant } from '../types.ts';
import { configError, notGranted, podLabel } from './services.ts';

/**
 * Who the container runs as and what it may do, from pod, container and image.
 * @throws NotYet when it must not run as root and would, or nobody can tell.
 */
export function securityOf(
  pod: Pod,
  container: Container,
  { imageUser, grants }: { imageUser: string; grants: ReadonlySet<Grant> },
): SecurityContext {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const identity = {
    runAsUser: own.runAsUser ?? shared.runAsUser,
    runAsGroup: own.runAsGroup ?? shared.runAsGroup,
    imageUser,
  };
  requireAllowed(container, own, { shared, grants });
  if (own.runAsNonRoot ?? shared.runAsNonRoot) requireNonRoot(pod, container, identity);
  const user = userText(identity);
  return {
    ...(user === undefined ? {} : { user }),
    ...groupsOf(shared),
    ...capabilities(container),
    ...privileges(own, shared),
  };
}

function requireAllowed(
  { name, volumeMounts = [] }: Container,
  own: ContainerSecurity,
  { shared, grants }: { shared: PodSecurity; grants: ReadonlySet<Grant> },
): void {
  if (!grants.has('privileged')) requirePlain(name, own);
  if ((own.seccompProfile ?? shared.seccompProfile)?.type === 'Localhost') {
    throw configError(
      `container ${name}: seccomp profiles of type Localhost are not supported on this cluster`,
    );
  }
  if (own.procMount === 'Unmasked') {
    throw configError(`container ${name}: procMount Unmasked is not supported on this cluster`);
  }
  const moving = volumeMounts.find(({ mountPropagation = 'None' }) => mountPropagation !== 'None');
  if (moving) {
    const what = `mountPropagation ${moving.mountPropagation} of ${moving.mountPath}`;
    throw configError(`container ${name}: ${what} is not supported on this cluster`);
  }
}

/**
 * Capabilities that are held against the container's own namespaces, or harm nobody else. The others reach the machine:
 * with them a container is as good as privileged.
 */
const PLAIN_CAPABILITIES = new Set(
  (
    'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE MKNOD NET_ADMIN NET_BIND_SERVICE ' +
    'NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT SYS_NICE SYS_PTRACE SYS_RESOURCE'
  ).split(' '),
);

function requirePlain(
  container: string,
  { privileged, capabilities: { add = [] } = {} }: ContainerSecurity,
): void {
  if (privileged) throw configError(notGranted('privileged'));
  const strong = add.find((name) => !PLAIN_CAPABILITIES.has(name.toUpperCase().replace(/^CAP_/, '')));
  if (strong === undefined) return;
  throw configError(`container ${container}: capability ${strong}: ${notGranted('privileged')}`);
}

function groupsOf({
  fsGroup,
  supplementalGroups = [],
}: PodSecurity): Pick<SecurityContext, 'supplementalGroups'> {
  const groups = fsGroup === undefined ? supplementalGroups : [fsGroup, ...supplementalGroups];
  return groups.length > 0 ? { supplementalGroups: groups } : {};
}

function privileges(
  own: ContainerSecurity,
  shared: PodSecurity,
): Pick<SecurityContext, 'allowPrivilegeEscalation' | 'seccomp'> {
  const { allowPrivilegeEscalation, privileged } = own;
  const profile = (own.seccompProfile ?? shared.seccompProfile)?.type;
  return {
    ...(allowPrivilegeEscalation === undefined ? {} : { allowPrivilegeEscalation }),
    ...(profile === 'Unconfined' || privileged ? { seccomp: false } : {}),
  };
}

function capabilities({
  securityContext = {},
}: Container): Pick<SecurityContext, 'addCapabilities' | 'dropCapabilities'> {
  const { add = [], drop = [] } = securityContext.capabilities ?? {};
  const added = securityContext.privileged ? ['ALL'] : add;
  return {
    ...(added.length > 0 ? { addCapabilities: added } : {}),
    ...(drop.length > 0 ? { dropCapabilities: drop } : {}),
  };
}

interface Identity {
  readonly runAsUser: number | undefined;
  readonly imageUser: string;
}

function requireNonRoot(pod: Pod, container: Container, { runAsUser, imageUser }: Identity): void {
  const where = `(pod: "${podLabel(pod)}", container: ${container.name})`;
  if (runAsUser === 0) throw configError(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  const user = imageUser.split(':')[0] ?? '';
  if (user === '' || /^0+$/.test(user)) {
    throw configError(`container has runAsNonRoot and image will run as root ${where}`);
  }
  if (!/^\d+$/.test(user)) {
    const why = `image has non-numeric user (${user}), cannot verify user is non-root`;
    throw configError(`container has runAsNonRoot and ${why} ${where}`);
  }
}

function userText({
  runAsUser,
  runAsGroup,
  imageUser,
}: Identity & { runAsGroup: number | undefined }): string | undefined {
  if (runAsUser === undefined && runAsGroup === undefined) return imageUser === '' ? undefined : imageUser;
  const user = runAsUser === undefined ? (imageUser.split(':')[0] ?? '') || '0' : String(runAsUser);
  return runAsGroup === undefined ? user : `${user}:${runAsGroup}`;
}
