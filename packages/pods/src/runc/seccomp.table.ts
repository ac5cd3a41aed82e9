/** System calls containers are refused, and why. Everything else is allowed. */
export interface Refusal {
  readonly names: readonly string[];
  readonly why: string;
  /** Allowed again for a container that was given this capability. */
  readonly unless?: string;
  /** Default EPERM. ENOSYS where programs have a fallback for old kernels that they only take then. */
  readonly error?: 'EPERM' | 'ENOSYS';
  /** Refused only when `argument & mask === value` (mask absent: when it equals value). */
  readonly when?: { readonly argument: number; readonly value: number; readonly mask?: number };
}

const CLONE_NEWUSER = 0x10000000;
const AF_ALG = 38;
const AF_VSOCK = 40;

export const REFUSALS: readonly Refusal[] = [
  {
    names: [
      'mount',
      'umount',
      'umount2',
      'pivot_root',
      'move_mount',
      'open_tree',
      'fsopen',
      'fsconfig',
      'fsmount',
      'fspick',
      'mount_setattr',
    ],
    why: 'changing mounts uncovers masked files and leads to the least tested code of file systems',
    unless: 'SYS_ADMIN',
  },
  {
    names: ['unshare', 'setns'],
    why: 'a user namespace gives all capabilities over new kernel objects',
    unless: 'SYS_ADMIN',
  },
  {
    names: ['clone'],
    why: 'the same as unshare',
    unless: 'SYS_ADMIN',
    when: { argument: 0, value: CLONE_NEWUSER, mask: CLONE_NEWUSER },
  },
  {
    names: ['clone3'],
    why: 'its flags lie in memory, where a filter cannot look; C libraries fall back to clone',
    unless: 'SYS_ADMIN',
    error: 'ENOSYS',
  },
  {
    names: ['init_module', 'finit_module', 'delete_module'],
    why: 'kernel modules are the host’s',
    unless: 'SYS_MODULE',
  },
  { names: ['kexec_load', 'kexec_file_load', 'reboot'], why: 'they end the host', unless: 'SYS_BOOT' },
  {
    names: ['swapon', 'swapoff', 'acct', 'quotactl', 'quotactl_fd', 'nfsservctl', 'vhangup'],
    why: 'they administer the host',
    unless: 'SYS_ADMIN',
  },
  { names: ['settimeofday', 'clock_settime', 'stime'], why: 'time is not namespaced', unless: 'SYS_TIME' },
  {
    names: ['sethostname', 'setdomainname'],
    why: 'the pod’s name is the platform’s to give',
    unless: 'SYS_ADMIN',
  },
  { names: ['iopl', 'ioperm'], why: 'direct access to hardware', unless: 'SYS_RAWIO' },
  { names: ['syslog'], why: 'the kernel’s log tells of the host and its addresses', unless: 'SYSLOG' },
  { names: ['bpf'], why: 'programs for the kernel; a long history of escapes', unless: 'BPF' },
  { names: ['perf_event_open'], why: 'measures the host; a long history of escapes', unless: 'PERFMON' },
  {
    names: ['userfaultfd'],
    why: 'makes races in the kernel winnable',
    unless: 'SYS_PTRACE',
    error: 'ENOSYS',
  },
  {
    names: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    why: 'does system calls this filter never sees',
    error: 'ENOSYS',
  },
  { names: ['add_key', 'request_key', 'keyctl'], why: 'key rings are not namespaced' },
  {
    names: ['open_by_handle_at'],
    why: 'opens files by number, past the container’s root',
    unless: 'DAC_READ_SEARCH',
  },
  { names: ['lookup_dcookie', 'kcmp'], why: 'tell of the kernel’s memory', unless: 'SYS_PTRACE' },
  {
    names: ['move_pages', 'mbind', 'migrate_pages', 'set_mempolicy'],
    why: 'placement of memory is the host’s',
    unless: 'SYS_NICE',
  },
  {
    names: [
      'uselib',
      'ustat',
      'sysfs',
      '_sysctl',
      'vm86',
      'vm86old',
      'create_module',
      'get_kernel_syms',
      'query_module',
    ],
    why: 'obsolete: no reason to reach that code',
  },
  {
    names: ['socket'],
    why: 'hypervisor sockets know no network namespace',
    when: { argument: 0, value: AF_VSOCK },
  },
  {
    names: ['socket'],
    why: 'the kernel’s ciphers by socket: rarely used, often broken',
    when: { argument: 0, value: AF_ALG },
  },
];
