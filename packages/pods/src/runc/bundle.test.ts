import { describe, expect, it } from 'vitest';
import type { ContainerSpec } from '../types.ts';
import { bundleConfig } from './bundle.ts';
import { boundingSet, effectiveCapabilities } from './capabilities.ts';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from './capabilities.table.ts';
import { cgroupsOf } from './cgroups.ts';
import { seccompProfile } from './seccomp.ts';
import { signalNumber } from '../signals.ts';

const everything = new Set<string>(ALL_CAPABILITIES);
const spec: ContainerSpec = {
  name: 'main',
  rootFs: { layers: [] },
  command: ['true'],
  env: {},
  workingDir: '',
};
const config = (more: Partial<ContainerSpec> = {}, limitable = ['memory', 'cpu', 'pids']) =>
  bundleConfig(
    { ...spec, ...more },
    {
      root: '/root-folder',
      hostname: 'host',
      networkNamespace: '/ns',
      cgroup: '/updraft-abc/x',
      identity: { uid: 1, gid: 2, groups: [3], home: undefined },
      mounts: [],
      sysctl: {},
      availableCapabilities: everything,
      limitable: new Set(limitable),
      machine: 'x64',
    },
  ) as { process: Record<string, unknown>; linux: { resources: Record<string, unknown>; seccomp?: object } };

describe('a container’s configuration', () => {
  it('asks for no resource limits of processes, which some hosts may not set', () => {
    expect(config().process).not.toHaveProperty('rlimits');
  });

  it('writes limits as the kernel counts them', () => {
    const { resources } = config({ resources: { memoryBytes: 1024, cpuMillis: 250, processes: 9 } }, [
      'memory',
      'swap',
      'cpu',
      'pids',
    ]).linux;
    expect(resources).toMatchObject({
      memory: { limit: 1024, swap: 1024 },
      cpu: { period: 100_000, quota: 25_000 },
      pids: { limit: 9 },
    });
    expect(config({ resources: { cpuMillis: 1 } }).linux.resources).toMatchObject({ cpu: { quota: 1000 } });
  });

  it('leaves out limits the host cannot hold', () => {
    const { resources } = config({ resources: { memoryBytes: 1024, cpuMillis: 250, processes: 9 } }, [
      'cpu',
    ]).linux;
    expect(Object.keys(resources)).toEqual(['devices', 'cpu']);
  });

  it('hides and protects what other engines do', () => {
    const { maskedPaths, readonlyPaths } = config().linux as unknown as Record<string, string[]>;
    const proc = 'acpi asound interrupts kcore keys latency_stats timer_list timer_stats sched_debug scsi';
    expect(maskedPaths).toEqual(
      expect.arrayContaining([
        ...proc.split(' ').map((name) => `/proc/${name}`),
        '/sys/firmware',
        '/sys/devices/virtual/powercap',
        '/sys/devices/system/cpu/cpu0/thermal_throttle',
      ]),
    );
    expect(readonlyPaths).toEqual(
      ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`),
    );
  });

  it('refuses all devices but the usual ones', () => {
    expect(config().linux.resources['devices']).toEqual([{ allow: false, access: 'rwm' }]);
  });

  it('lets what was asked for win over defaults of the environment', () => {
    const { env } = config({ env: { PATH: '/mine', HOME: '/home' } }).process;
    expect(env).toEqual(['PATH=/mine', 'HOSTNAME=host', 'HOME=/home']);
  });

  it('has no filter when that was asked for', () => {
    expect(config().linux.seccomp).toBeDefined();
    expect(config({ security: { seccomp: false } }).linux.seccomp).toBeUndefined();
  });
});

describe('capabilities', () => {
  it.each([
    [{}, [...DEFAULT_CAPABILITIES]],
    [{ dropCapabilities: ['ALL'] }, []],
    [{ dropCapabilities: ['all'], addCapabilities: ['CAP_NET_RAW'] }, ['NET_RAW']],
    [
      { addCapabilities: ['ALL'], dropCapabilities: ['SYS_ADMIN'] },
      ALL_CAPABILITIES.filter((name) => name !== 'SYS_ADMIN'),
    ],
    [{ dropCapabilities: DEFAULT_CAPABILITIES, addCapabilities: ['NO_SUCH'] }, []],
  ])('%j', (security, expected) => {
    expect(effectiveCapabilities(security, everything)).toEqual([...expected].toSorted());
  });

  it('that this process lacks are not given', () => {
    const status = 'CapEff:\t0\nCapBnd:\t000001fffeffffff\n';
    const available = boundingSet(status);
    expect(available.has('SYS_RESOURCE')).toBe(false);
    expect(available.size).toBe(ALL_CAPABILITIES.length - 1);
    expect(effectiveCapabilities({ addCapabilities: ['SYS_RESOURCE'] }, available)).not.toContain(
      'SYS_RESOURCE',
    );
  });
});

const names = (capabilities: string[]) =>
  (seccompProfile(capabilities, 'x64') as { syscalls: { names: string[] }[] }).syscalls.flatMap(
    (rule) => rule.names,
  );

describe('the filter of system calls', () => {
  it('refuses mounts and namespaces unless the container administers the system', () => {
    expect(names([])).toEqual(expect.arrayContaining(['mount', 'unshare', 'setns', 'clone', 'bpf']));
    expect(names(['SYS_ADMIN'])).not.toContain('mount');
    expect(names(['SYS_ADMIN'])).toContain('bpf');
  });

  it('counts calls of older instruction sets too', () => {
    expect(seccompProfile([], 'x64')).toMatchObject({
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    });
  });
});

const line = (target: string, rest: string) => `25 21 0:22 / ${target} rw,relatime - ${rest}`;

describe('control groups', () => {
  it('are version 2 where that is mounted at the usual place', () => {
    const found = cgroupsOf(line('/sys/fs/cgroup', 'cgroup2 cgroup2 rw,nsdelegate'));
    expect(found).toEqual({ version: 2, mounts: new Map([['', '/sys/fs/cgroup']]) });
  });

  it('are version 1 where controllers are mounted each for itself', () => {
    const text = [
      line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup cgroup rw,cpu,cpuacct'),
      line('/sys/fs/cgroup/memory', 'cgroup none rw,memory'),
      line('/sys/fs/cgroup/unified', 'cgroup2 cgroup2 rw'),
    ].join('\n');
    expect(cgroupsOf(text)?.version).toBe(1);
    expect(cgroupsOf(text)?.mounts.get('cpuacct')).toBe('/sys/fs/cgroup/cpu,cpuacct');
    expect(cgroupsOf(text)?.mounts.get('unified')).toBe('/sys/fs/cgroup/unified');
  });

  it('may be missing', () => expect(cgroupsOf(line('/', 'ext4 /dev/sda rw'))).toBeUndefined());
});

describe('signals', () => {
  it.each([
    ['SIGTERM', 15],
    ['term', 15],
    ['9', 9],
    ['SIGRTMIN+3', 37],
    ['SIGNOPE', undefined],
    ['0', undefined],
    ['99', undefined],
  ])('%s', (name, number) => expect(signalNumber(name)).toBe(number));
});
