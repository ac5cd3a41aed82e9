import { dropFlagValues, hasArg, hasFlag, plainArgs } from '../../shell/commands.ts';
import type { Command } from '../../shell/commands.ts';
import { commandRule, runRule } from '../rule.ts';
import type { Rule } from '../rule.ts';
import { cacheMounts } from '../text.ts';

const isAdd = (command: Command): boolean => command.name === 'apk' && hasArg(command, 'add');

function packages(command: Command): readonly string[] {
  const rest = dropFlagValues(command, 't', 'virtual', 'X', 'repository', 'p', 'root', 'arch', 'cache-dir');
  return plainArgs(rest).filter((arg) => arg !== 'add');
}

export const APK_RULES: readonly Rule[] = [
  commandRule(
    {
      code: 'DL3018',
      severity: 'warning',
      title: 'Pin what apk adds: `apk add PACKAGE=VERSION` instead of `apk add PACKAGE`.',
    },
    (command) => isAdd(command) && !packages(command).every((name) => /[=~]|\.apk$/.test(name)),
  ),
  runRule(
    {
      code: 'DL3019',
      severity: 'info',
      title: 'Keep the package index out of the image: `apk add --no-cache`.',
    },
    (run) =>
      !cacheMounts(run.instruction.flags).includes('/var/cache/apk') &&
      run.commands.some((command) => isAdd(command) && !hasFlag(command, 'no-cache')),
  ),
];
