import { dropFlagValues, hasArg, hasFlag, plainArgs } from '../../shell/commands.ts';
import type { Command } from '../../shell/commands.ts';
import { commandRule, runRule } from '../rule.ts';
import type { Rule } from '../rule.ts';
import type { Run } from '../context.ts';
import { cacheMounts } from '../text.ts';

interface PackageManager {
  readonly names: readonly string[];
  readonly install: readonly string[];
  readonly yes: readonly string[];
  readonly clean: readonly string[];
  /** Removing these, or mounting a cache over them, is as good as cleaning. */
  readonly cacheFolders: readonly string[];
  isPinned(name: string): boolean;
}

/** A version follows the last dash: a digit (maybe behind an epoch) or a variable. */
const rpmPinned = (name: string): boolean => /-(?:\d+:)?[\d$]|\.rpm$/.test(name);

const YUM: PackageManager = {
  names: ['yum'],
  install: ['install', 'groupinstall', 'localinstall'],
  yes: ['y', 'assumeyes'],
  clean: ['clean'],
  cacheFolders: ['/var/cache/yum'],
  isPinned: rpmPinned,
};

const DNF: PackageManager = {
  names: ['dnf', 'microdnf', 'dnf5'],
  install: ['install', 'groupinstall', 'localinstall'],
  yes: ['y', 'assumeyes'],
  clean: ['clean'],
  cacheFolders: ['/var/cache/dnf', '/var/cache/yum', '/var/cache/libdnf5'],
  isPinned: rpmPinned,
};

const ZYPPER: PackageManager = {
  names: ['zypper'],
  install: ['install', 'in'],
  yes: ['y', 'n', 'no-confirm', 'non-interactive'],
  clean: ['clean', 'cc'],
  cacheFolders: ['/var/cache/zypp'],
  isPinned: (name) => /[=<>]|\.rpm$/.test(name),
};

const ZYPPER_ASKS = [...ZYPPER.install, 'remove', 'rm', 'source-install', 'si', 'patch'];

const uses = (manager: PackageManager, command: Command): boolean => manager.names.includes(command.name);

function isInstall(manager: PackageManager, command: Command): boolean {
  return uses(manager, command) && hasArg(command, ...manager.install);
}

function asks(manager: PackageManager, command: Command): boolean {
  return isInstall(manager, command) && !hasFlag(command, ...manager.yes);
}

function isUnpinned(manager: PackageManager, command: Command): boolean {
  if (!uses(manager, command) || !hasArg(command, 'install', 'in')) return false;
  const rest = dropFlagValues(command, 'c', 'config', 'setopt', 'enablerepo', 'disablerepo', 'installroot', 'releasever', 'r', 'repo'); // prettier-ignore
  const names = plainArgs(rest).filter((arg) => !['install', 'in', 'module'].includes(arg));
  if (hasArg(command, 'module')) return !names.every((name) => name.includes(':'));
  return !names.every((name) => manager.isPinned(name));
}

/** Installs, and nothing after the last installation cleans up. */
function leavesCache(manager: PackageManager, run: Run): boolean {
  const last = run.commands.findLastIndex((command) => isInstall(manager, command));
  if (last < 0) return false;
  const name = run.commands[last]?.name;
  const cleans = run.commands.slice(last).some((command) => {
    const removes = command.name === 'rm' && command.args.some((arg) => inCache(manager, arg));
    return removes || (command.name === name && hasArg(command, ...manager.clean));
  });
  return !cleans && !cacheMounts(run.instruction.flags).some((target) => inCache(manager, target));
}

function inCache(manager: PackageManager, path: string): boolean {
  return manager.cacheFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

export const RPM_RULES: readonly Rule[] = [
  commandRule(
    {
      code: 'DL3030',
      severity: 'warning',
      title: '`yum install` waits for an answer nobody can give: add `-y`.',
    },
    (command) => asks(YUM, command),
  ),
  runRule(
    {
      code: 'DL3032',
      severity: 'warning',
      title: 'End with `yum clean all`, or the cache stays in the image.',
    },
    (run) => leavesCache(YUM, run),
  ),
  commandRule(
    {
      code: 'DL3033',
      severity: 'warning',
      title: 'Pin what yum installs: `yum install -y PACKAGE-VERSION`.',
    },
    (command) => isUnpinned(YUM, command),
  ),
  commandRule(
    {
      code: 'DL3034',
      severity: 'warning',
      title: 'zypper waits for an answer nobody can give: add `-y` or `-n`.',
    },
    (command) => uses(ZYPPER, command) && hasArg(command, ...ZYPPER_ASKS) && !hasFlag(command, ...ZYPPER.yes),
  ),
  commandRule(
    {
      code: 'DL3035',
      severity: 'warning',
      title: 'Take a newer base image instead of `zypper dist-upgrade`.',
    },
    (command) => uses(ZYPPER, command) && hasArg(command, 'dist-upgrade', 'dup'),
  ),
  runRule(
    {
      code: 'DL3036',
      severity: 'warning',
      title: 'End with `zypper clean`, or the cache stays in the image.',
    },
    (run) => leavesCache(ZYPPER, run),
  ),
  commandRule(
    {
      code: 'DL3037',
      severity: 'warning',
      title: 'Pin what zypper installs: `zypper install -y PACKAGE=VERSION`.',
    },
    (command) => isUnpinned(ZYPPER, command),
  ),
  commandRule(
    {
      code: 'DL3038',
      severity: 'warning',
      title: '`dnf install` waits for an answer nobody can give: add `-y`.',
    },
    (command) => asks(DNF, command),
  ),
  runRule(
    {
      code: 'DL3040',
      severity: 'warning',
      title: 'End with `dnf clean all`, or the cache stays in the image.',
    },
    (run) => leavesCache(DNF, run),
  ),
  commandRule(
    {
      code: 'DL3041',
      severity: 'warning',
      title: 'Pin what dnf installs: `dnf install -y PACKAGE-VERSION`.',
    },
    (command) => isUnpinned(DNF, command),
  ),
];
