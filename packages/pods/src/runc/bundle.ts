import { cpus } from 'node:os';
import type { ContainerSpec, Resources } from '../types.ts';
import { effectiveCapabilities } from './capabilities.ts';
import { seccompProfile } from './seccomp.ts';
import type { Identity } from './users.ts';

/** A mount as the OCI runtime specification writes it. */
export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface BundleFacts {
  /** Where the container's root is mounted. */
  readonly root: string;
  readonly hostname: string;
  readonly networkNamespace: string;
  /** Absent: a process tree of its own. */
  readonly processNamespace?: string | undefined;
  readonly cgroup: string;
  readonly identity: Identity;
  readonly mounts: readonly OciMount[];
  /** Kernel settings of the pod's network namespace. */
  readonly sysctl: Readonly<Record<string, string>>;
  readonly availableCapabilities: ReadonlySet<string>;
  /** Which limits this host can hold: `memory`, `cpu`, `pids`, and `swap`. */
  readonly limitable: ReadonlySet<string>;
  readonly machine: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Files that tell of, or act on, the whole host: hidden. */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  // How hot each processor gets tells what others do with it.
  ...cpus().map((_cpu, index) => `/sys/devices/system/cpu/cpu${index}/thermal_throttle`),
];
/** The same where programs need to read them. */
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const tmpfs = (destination: string, ...options: string[]): OciMount => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', ...options],
});

const STANDARD_MOUNTS: readonly OciMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  tmpfs('/dev', 'strictatime', 'mode=755', 'size=65536k'),
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  tmpfs('/dev/shm', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
  },
];

/** The process part, used for the container's first process and for `exec`. */
export function processOf(
  spec: Pick<ContainerSpec, 'command' | 'env' | 'workingDir' | 'security' | 'terminal'>,
  facts: Pick<BundleFacts, 'identity' | 'hostname' | 'availableCapabilities'>,
): object {
  const { identity, hostname, availableCapabilities } = facts;
  const capabilities = effectiveCapabilities(spec.security ?? {}, availableCapabilities).map(
    (name) => `CAP_${name}`,
  );
  const defaults = {
    PATH,
    HOSTNAME: hostname,
    HOME: identity.home ?? '/',
    ...(spec.terminal ? { TERM: 'xterm-256color' } : {}),
  };
  return {
    terminal: spec.terminal ?? false,
    ...(spec.terminal ? { consoleSize: { width: 80, height: 24 } } : {}),
    user: {
      uid: identity.uid,
      gid: identity.gid,
      additionalGids: [...new Set([...identity.groups, ...(spec.security?.supplementalGroups ?? [])])],
    },
    args: spec.command,
    env: Object.entries({ ...defaults, ...spec.env }).map(([name, value]) => `${name}=${value}`),
    cwd: spec.workingDir || '/',
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
      inheritable: [],
      ambient: [],
    },
    noNewPrivileges: spec.security?.allowPrivilegeEscalation === false,
  };
}

/** The whole config.json of a container. */
export function bundleConfig(spec: ContainerSpec, facts: BundleFacts): object {
  const capabilities = effectiveCapabilities(spec.security ?? {}, facts.availableCapabilities);
  const seccomp =
    spec.security?.seccomp === false ? {} : { seccomp: seccompProfile(capabilities, facts.machine) };
  return {
    ociVersion: '1.0.2',
    process: processOf(spec, facts),
    root: { path: facts.root, readonly: spec.rootFs.readOnly ?? false },
    hostname: facts.hostname,
    mounts: [...STANDARD_MOUNTS, ...facts.mounts],
    linux: {
      cgroupsPath: facts.cgroup,
      namespaces: [
        { type: 'pid', ...(facts.processNamespace === undefined ? {} : { path: facts.processNamespace }) },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        { type: 'cgroup' },
        { type: 'network', path: facts.networkNamespace },
      ],
      sysctl: facts.sysctl,
      resources: limits(spec.resources ?? {}, facts.limitable),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
      ...seccomp,
    },
  };
}

const CPU_PERIOD_US = 100_000;
/** The kernel refuses quotas below a millisecond. */
const CPU_QUOTA_MIN_US = 1000;

function limits({ memoryBytes, cpuMillis, processes }: Resources, limitable: ReadonlySet<string>): object {
  const wanted: Readonly<Record<string, object | undefined>> = {
    memory: memoryBytes
      ? { limit: memoryBytes, ...(limitable.has('swap') ? { swap: memoryBytes } : {}) }
      : undefined,
    cpu: cpuMillis ? { period: CPU_PERIOD_US, quota: cpuQuota(cpuMillis) } : undefined,
    pids: processes ? { limit: processes } : undefined,
  };
  const possible = Object.entries(wanted).filter(([name, limit]) => limit && limitable.has(name));
  return { devices: [{ allow: false, access: 'rwm' }], ...Object.fromEntries(possible) };
}

function cpuQuota(millis: number): number {
  return Math.max(CPU_QUOTA_MIN_US, Math.round(millis * (CPU_PERIOD_US / 1000)));
}
