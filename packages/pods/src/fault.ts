import { Fault, codeOf, messageOf } from '@updraft/kit';

/** What can be wrong with the machine, as told by this room. */
export type PodsFaultCode =
  /** Root is needed for namespaces, mounts and addresses. */
  | 'NOT_ROOT'
  /** `ip`, `nft` or `runc` is not installed. */
  | 'PROGRAM_MISSING'
  /** A program this room relies on refused. */
  | 'PROGRAM_FAILED'
  /** No private range of addresses is free on this host. */
  | 'NO_FREE_NETWORK'
  /** Every address of the pods' range is taken. */
  | 'NO_FREE_ADDRESS'
  /** Port 53 of the bridge's address is taken. */
  | 'DNS_PORT_IN_USE'
  /** The kernel or the file system below refuses overlay mounts. */
  | 'OVERLAY_UNSUPPORTED'
  /** mount(2) or a relative failed. */
  | 'SYSTEM_CALL_FAILED'
  /** Control groups are not mounted or not writable. */
  | 'CGROUPS_UNUSABLE'
  /** What a container is to be given from the host is not there. */
  | 'MOUNT_SOURCE_MISSING'
  /** A pod or container of that name is alive. */
  | 'NAME_TAKEN'
  /** A name that is not allowed in paths and identifiers. */
  | 'NAME_INVALID'
  /** The container, pod or network is gone already. */
  | 'GONE'
  /** A kubeconfig that cannot be read or does not say what is needed. */
  | 'KUBECONFIG_INVALID'
  /** A kubeconfig that asks for something that is refused. */
  | 'KUBECONFIG_UNSUPPORTED'
  /** No credentials for a cluster, or a program that was to give them did not. */
  | 'CLUSTER_CREDENTIALS'
  /** A cluster's API server does not answer. */
  | 'CLUSTER_UNREACHABLE'
  /** A cluster's API server answered with an error. */
  | 'CLUSTER_REFUSED'
  /** A cluster has not started a pod: no node takes it, an image cannot be pulled, … */
  | 'POD_NOT_STARTED'
  /** This runtime cannot do what was asked. */
  | 'UNSUPPORTED';

export class PodsFault extends Fault {
  override readonly name = 'PodsFault';

  constructor(code: PodsFaultCode, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(code, message, options);
  }
}

const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  runc: 'runc',
  unshare: 'util-linux',
};

/** Makes a fault of this room from whatever running `program` threw; faults of this room pass unchanged. */
export function programFault(program: string, thrown: unknown): PodsFault {
  if (thrown instanceof PodsFault) return thrown;
  if (codeOf(thrown) !== 'PROGRAM_MISSING') {
    return new PodsFault('PROGRAM_FAILED', messageOf(thrown), { cause: thrown });
  }
  const name = PACKAGES[program] ?? program;
  return new PodsFault('PROGRAM_MISSING', `the program ${program} is not installed`, {
    cause: thrown,
    next: `Install it: apt-get install ${name}`,
  });
}

/** @throws PodsFault NOT_ROOT */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new PodsFault('NOT_ROOT', 'namespaces, mounts and networks need root', {
    next: 'Run the command again as root, for example with sudo.',
  });
}

const NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i;

/** Names become parts of paths and identifiers. @throws PodsFault NAME_INVALID */
export function requireName(kind: 'pod' | 'container', name: string): void {
  if (NAME.test(name) && !name.includes(kind === 'pod' ? '.' : '..')) return;
  throw new PodsFault('NAME_INVALID', `${JSON.stringify(name)} is no name for a ${kind}`, {
    next: 'Use at most 63 letters, digits, `-` and `_`, with a letter or digit at both ends.',
  });
}

/** For numbers that are written into rules. @throws PodsFault UNSUPPORTED */
export function requirePort(number: number): number {
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new PodsFault('UNSUPPORTED', `${number} is no port`);
}
