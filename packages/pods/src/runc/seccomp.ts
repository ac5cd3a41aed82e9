import { REFUSALS } from './seccomp.table.ts';
import type { Refusal } from './seccomp.table.ts';

const ERRORS = { EPERM: 1, ENOSYS: 38 } as const;

/** libseccomp's names for a machine and for the older instruction sets it also runs: calls made in those count too. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** The `linux.seccomp` part of a container's configuration. */
export function seccompProfile(capabilities: readonly string[], machine: string): object {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ARCHITECTURES[machine] ?? [],
    syscalls: REFUSALS.filter((refusal) => !capabilities.includes(refusal.unless ?? '')).map(rule),
  };
}

function rule(refusal: Refusal): object {
  const { names, when } = refusal;
  const base = { names, action: 'SCMP_ACT_ERRNO', errnoRet: ERRORS[refusal.error ?? 'EPERM'] };
  if (!when) return base;
  const comparison =
    when.mask === undefined ? { op: 'SCMP_CMP_EQ', value: when.value } : masked(when.mask, when.value);
  return { ...base, args: [{ index: when.argument, ...comparison }] };
}

function masked(mask: number, value: number): object {
  return { op: 'SCMP_CMP_MASKED_EQ', value: mask, valueTwo: value };
}
