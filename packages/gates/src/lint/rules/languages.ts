import { dropFlagValues, hasArg, hasFlag, plainArgs } from '../../shell/commands.ts';
import type { Command } from '../../shell/commands.ts';
import { isKept, lineage } from '../context.ts';
import type { LintStage, Run } from '../context.ts';
import { commandRule, runRule, toComplaint } from '../rule.ts';
import type { Rule } from '../rule.ts';
import { cacheMounts, unquoted } from '../text.ts';

const PIP_VALUE_FLAGS = [
  'abi', 'b', 'build', 'd', 'download', 'e', 'editable', 'extra-index-url', 'f', 'find-links', 'i', 'index-url',
  'implementation', 'no-binary', 'only-binary', 'platform', 'prefix', 'progress-bar', 'proxy', 'python-version',
  'root', 'src', 't', 'target', 'trusted-host', 'upgrade-strategy', 'cert', 'client-cert', 'log', 'timeout', 'retries',
]; // prettier-ignore

/** The arguments of `pip install`, however pip is called; undefined when it is not that. */
function pipInstall(command: Command): Command | undefined {
  const isPip = /^pip(?:\d+(?:\.\d+)*)?$/.test(command.name);
  const module = /^python[\d.]*$/.test(command.name) ? command.args.indexOf('pip') : -1;
  const isModule = module > 0 && command.args[module - 1] === '-m';
  if ((!isPip && !isModule) || !hasArg(command, 'install')) return undefined;
  return { ...command, args: command.args.slice(isModule ? module + 1 : 0) };
}

function pipPinned(name: string): boolean {
  const isLocal = /\.(?:whl|tar\.gz|zip)$/.test(name);
  const isGit =
    name.startsWith('git+') && /@[^/]+$/.test(name.split('#')[0]?.replace(/^[^:]*:\/\/[^/]*/, '') ?? '');
  return isLocal || isGit || /[<>=!~]=|[<>]/.test(name);
}

function pipUnpinned(command: Command): boolean {
  const install = pipInstall(command);
  if (install === undefined) return false;
  if (hasFlag(install, 'r', 'requirement', 'c', 'constraint') || hasArg(install, '.')) return false;
  const names = plainArgs(dropFlagValues(install, ...PIP_VALUE_FLAGS)).filter((arg) => arg !== 'install');
  return !names.every(pipPinned);
}

const isTruthy = (value: string): boolean => /^(?:1|on|yes|true|y)$/i.test(unquoted(value));

function stageForbidsPipCache(stage: LintStage, before: number): boolean {
  return lineage(stage).some((ancestor) =>
    ancestor.instructions.some(
      ({ instruction, line }) =>
        (ancestor !== stage || line < before) &&
        instruction.keyword === 'ENV' &&
        instruction.pairs.some((p) => p.name.text === 'PIP_NO_CACHE_DIR' && isTruthy(p.value?.text ?? '')),
    ),
  );
}

function scriptForbidsPipCache(run: Run): boolean {
  return run.commands.some(({ name, args, node }) => {
    const assigned = node.assignments.map((assignment) => `${assignment.name}=${assignment.value.text}`);
    const exported = name === 'export' ? args : [];
    return [...assigned, ...exported].some((pair) => {
      const [key, value = ''] = pair.split('=', 2);
      return key === 'PIP_NO_CACHE_DIR' && isTruthy(value);
    });
  });
}

function keepsPipCache(run: Run): boolean {
  const installs = run.commands.some((command) => pipInstall(command) && !hasFlag(command, 'no-cache-dir'));
  if (!installs || stageForbidsPipCache(run.stage, run.line) || scriptForbidsPipCache(run)) return false;
  return !cacheMounts(run.instruction.flags).some((target) => /\.cache(?:\/pip)?$/.test(target));
}

function npmUnpinned(command: Command): boolean {
  if (command.name !== 'npm') return false;
  const rest = dropFlagValues(command, 'loglevel', 'prefix', 'registry', 'cache', 'w', 'workspace', 'tag');
  const [verb, ...names] = plainArgs(rest);
  return verb === 'install' && !names.every(npmPinned);
}

function npmPinned(name: string): boolean {
  if (/^git(?:\+\w+)?:/.test(name)) return name.includes('#');
  if (/^(?:\/|\.\/|\.\.\/|~\/|\.$)/.test(name) || /\.(?:tar|tar\.gz|tgz)$/.test(name)) return true;
  return name.replace(/^@/, '').includes('@');
}

const GEM_VALUE_FLAGS = ['n', 'bindir', 'i', 'install-dir', 'P', 'trust-policy', 's', 'source', 'g', 'file', 'use-system-libraries']; // prettier-ignore

function gemUnpinned(command: Command): boolean {
  if (command.name !== 'gem' || !hasArg(command, 'install', 'i')) return false;
  if (hasFlag(command, 'v', 'version')) return false;
  const end = command.args.indexOf('--');
  const own = end < 0 ? command : { ...command, args: command.args.slice(0, end) };
  const names = plainArgs(dropFlagValues(own, ...GEM_VALUE_FLAGS)).filter(
    (arg) => !['install', 'i'].includes(arg),
  );
  return !names.every((name) => name.includes(':') || name.endsWith('.gem'));
}

function keepsYarnCache(run: Run): boolean {
  const yarn = run.commands.filter(({ name }) => name === 'yarn');
  const installs = yarn.some((command) => hasArg(command, 'install'));
  const cleans = yarn.some(({ args }) => args.includes('cache') && args.includes('clean'));
  return (
    installs && !cleans && !cacheMounts(run.instruction.flags).some((target) => /yarn|\.cache$/.test(target))
  );
}

export const LANGUAGE_RULES: readonly Rule[] = [
  commandRule(
    {
      code: 'DL3013',
      severity: 'warning',
      title: 'Pin what pip installs: `pip install PACKAGE==VERSION`, or `-r` a file that does.',
    },
    pipUnpinned,
  ),
  commandRule(
    {
      code: 'DL3016',
      severity: 'warning',
      title: 'Pin what npm installs: `npm install PACKAGE@VERSION` instead of `npm install PACKAGE`.',
    },
    npmUnpinned,
  ),
  commandRule(
    {
      code: 'DL3028',
      severity: 'warning',
      title: 'Pin what gem installs: `gem install GEM:VERSION` instead of `gem install GEM`.',
    },
    gemUnpinned,
  ),
  runRule(
    {
      code: 'DL3042',
      severity: 'warning',
      title: 'Keep pip’s cache out of the image: `pip install --no-cache-dir`.',
    },
    keepsPipCache,
  ),
  {
    code: 'DL3060',
    severity: 'info',
    title: 'Keep yarn’s cache out of the image: `yarn cache clean` after `yarn install`, in the same RUN.',
    check: ({ runs, stages }) =>
      runs.filter((run) => keepsYarnCache(run) && isKept(run, stages)).map(toComplaint),
  },
];
