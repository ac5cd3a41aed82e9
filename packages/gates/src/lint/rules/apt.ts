import { dropFlagValues, flagValues, hasArg, hasFlag, plainArgs } from '../../shell/commands.ts';
import type { Command } from '../../shell/commands.ts';
import { isKept } from '../context.ts';
import type { Run } from '../context.ts';
import { commandRule, toComplaint } from '../rule.ts';
import type { Rule } from '../rule.ts';
import { cacheMounts } from '../text.ts';

const LISTS = '/var/lib/apt/lists';

const isInstall = (command: Command): boolean => command.name === 'apt-get' && hasArg(command, 'install');

function isPinned(aptPackage: string): boolean {
  return aptPackage.includes('=') || aptPackage.startsWith('/') || aptPackage.endsWith('.deb');
}

function packages(command: Command): readonly string[] {
  const withoutTargets = dropFlagValues(command, 't', 'target-release', 'o', 'option', 'c', 'config-file');
  return plainArgs(withoutTargets).filter((arg) => arg !== 'install');
}

function saysYes(command: Command): boolean {
  const quiet = command.flags.filter((flag) => flag === 'q' || flag === 'quiet').length;
  const isSilent = quiet > 1 || command.args.some((arg) => /^-(?:-quiet|q)=[2-9]$/.test(arg));
  return isSilent || hasFlag(command, 'y', 'yes', 'assume-yes');
}

function declinesRecommends(command: Command): boolean {
  const options = flagValues(command, 'o', 'option');
  const isOff = options.some((option) => /APT::Install-Recommends=["']?(?:false|no|0|off)/i.test(option));
  return isOff || hasFlag(command, 'no-install-recommends');
}

function leavesLists(run: Run): boolean {
  const updates = run.commands.some(({ name, args }) => name === 'apt-get' && args.includes('update'));
  const removes = run.commands.some(
    ({ name, args }) => name === 'rm' && args.some((arg) => arg.startsWith(LISTS)),
  );
  const mounts = cacheMounts(run.instruction.flags);
  const isMounted =
    mounts.includes(LISTS) || (mounts.includes('/var/lib/apt') && mounts.includes('/var/cache/apt'));
  return updates && !removes && !isMounted;
}

export const APT_RULES: readonly Rule[] = [
  commandRule(
    {
      code: 'DL3005',
      severity: 'error',
      title: 'A whole-distribution upgrade belongs into a newer base image, not into `apt-get dist-upgrade`.',
    },
    (command) => command.name === 'apt-get' && hasArg(command, 'dist-upgrade'),
  ),
  commandRule(
    {
      code: 'DL3008',
      severity: 'warning',
      title:
        'Pin what apt-get installs: `apt-get install PACKAGE=VERSION` instead of `apt-get install PACKAGE`.',
    },
    (command) => isInstall(command) && !packages(command).every(isPinned),
  ),
  {
    code: 'DL3009',
    severity: 'info',
    title: 'Remove the package lists in the same RUN that fetched them: `rm -rf /var/lib/apt/lists/*`.',
    check: ({ runs, stages }) =>
      runs.filter((run) => leavesLists(run) && isKept(run, stages)).map(toComplaint),
  },
  commandRule(
    {
      code: 'DL3014',
      severity: 'warning',
      title: '`apt-get install` waits for an answer nobody can give: add `-y`.',
    },
    (command) => isInstall(command) && !saysYes(command),
  ),
  commandRule(
    {
      code: 'DL3015',
      severity: 'info',
      title: 'Keep packages out that are only recommended: `apt-get install --no-install-recommends`.',
    },
    (command) => isInstall(command) && !declinesRecommends(command),
  ),
  commandRule(
    {
      code: 'DL3027',
      severity: 'warning',
      title: '`apt` is made for people at a terminal: use `apt-get` or `apt-cache` in scripts.',
    },
    (command) => command.name === 'apt',
  ),
];
