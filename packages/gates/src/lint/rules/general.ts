import type { Dockerfile } from '@updraft/dockerfile';
import { hasArg, hasFlag } from '../../shell/commands.ts';
import { pipelinesOf } from '../../shell/commands.ts';
import type { LintStage, Run } from '../context.ts';
import { ignoreLines } from '../pragmas.ts';
import { commandRule, instructionRule, runRule, toComplaint } from '../rule.ts';
import type { Complaint, Rule } from '../rule.ts';
import { isPosixShell, shellName } from '../stage-shell.ts';
import { isAbsoluteOrVariable, unquoted } from '../text.ts';

const SENSELESS = ['free', 'ifconfig', 'kill', 'mount', 'ps', 'service', 'shutdown', 'ssh', 'top', 'vim'];

/** The last USER of a stage, when that is root. */
function rootAtTheEnd(stage: LintStage): readonly Complaint[] {
  const last = stage.instructions.findLast(({ instruction }) => instruction.keyword === 'USER');
  if (last?.instruction.keyword !== 'USER') return [];
  const user = unquoted(last.instruction.value.text).split(':')[0];
  return user === 'root' || user === '0' ? [toComplaint(last)] : [];
}

/** Who chains commands in a RUN divides into RUNs on purpose: only those with a single command count. */
const MERGEABLE_COMMANDS = 1;

function runsAfterRuns(stage: LintStage, runs: readonly Run[]): readonly Complaint[] {
  const complaints: Complaint[] = [];
  let before: Run | undefined;
  for (const located of stage.instructions) {
    const run = runs.find(({ instruction }) => instruction === located.instruction);
    if (run !== undefined && before !== undefined && isMergeable(before, run))
      complaints.push(toComplaint(run));
    else before = run;
  }
  return complaints;
}

function isMergeable(first: Run, second: Run): boolean {
  const isSmall = [first, second].every(({ commands }) => commands.length <= MERGEABLE_COMMANDS);
  return isSmall && first.onbuild === second.onbuild && flagText(first) === flagText(second);
}

function flagText({ instruction }: Run): string {
  return instruction.flags.map(({ name, value }) => `${name}=${value ?? ''}`).join(' ');
}

function bothDownloaders(runs: readonly Run[]): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const seen = new Map<LintStage, Set<string>>();
  for (const run of runs) {
    const tools = run.commands.map(({ name }) => name).filter((name) => name === 'wget' || name === 'curl');
    const all = new Set([...(seen.get(run.stage) ?? []), ...tools]);
    seen.set(run.stage, all);
    if (tools.length > 0 && all.size > 1) complaints.push(toComplaint(run));
  }
  return complaints;
}

const PIPEFAIL_SHELLS = ['bash', 'zsh', 'ash'];

function hasPipefail(shell: readonly string[]): boolean {
  if (!PIPEFAIL_SHELLS.includes(shellName(shell))) return false;
  const words = shell.flatMap((word) => word.split(/\s+/));
  return words.some((word, index) => word === 'pipefail' && /^-[a-z]*o$/.test(words[index - 1] ?? ''));
}

function hidesFailures(run: Run): boolean {
  if (!isPosixShell(run.shell) || hasPipefail(run.shell)) return false;
  return pipelinesOf(run.script).some(({ commands }) => commands.length > 1);
}

/** Lines of instructions that stand before any FROM and are not ARG. */
function tooEarly({ instructions }: Dockerfile): readonly Complaint[] {
  const first = instructions.findIndex(({ keyword }) => keyword === 'FROM');
  return instructions
    .slice(0, first < 0 ? undefined : first)
    .filter(({ keyword }) => keyword !== 'ARG')
    .map(({ range }) => ({ line: range.start.line }));
}

export const GENERAL_RULES: readonly Rule[] = [
  {
    code: 'DL1001',
    severity: 'ignore',
    title: 'A comment here switches rules off.',
    check: ({ dockerfile }) => ignoreLines(dockerfile.comments).map((line) => ({ line })),
  },
  instructionRule(
    { code: 'DL3000', severity: 'error', title: 'WORKDIR has to be an absolute path.' },
    ({ instruction }) => instruction.keyword === 'WORKDIR' && !isAbsoluteOrVariable(instruction.value.text),
  ),
  commandRule(
    {
      code: 'DL3001',
      severity: 'info',
      title:
        'A command that makes no sense in an image build (ssh, vim, shutdown, service, ps, free, top, kill, mount, ifconfig).',
    },
    ({ name }) => SENSELESS.includes(name),
  ),
  {
    code: 'DL3002',
    severity: 'warning',
    title: 'The last USER should not be root.',
    check: ({ stages }) => stages.flatMap(rootAtTheEnd),
  },
  commandRule(
    { code: 'DL3003', severity: 'warning', title: 'Use WORKDIR to change the folder.' },
    ({ name }) => name === 'cd',
  ),
  commandRule(
    {
      code: 'DL3004',
      severity: 'error',
      title: 'sudo behaves surprisingly in a build: use USER, or gosu where root is needed.',
    },
    ({ name }) => name === 'sudo',
  ),
  instructionRule(
    { code: 'DL3011', severity: 'error', title: 'Ports go from 0 to 65535.' },
    ({ instruction }) =>
      instruction.keyword === 'EXPOSE' &&
      instruction.words.some(({ text }) =>
        (unquoted(text).match(/(?<![\w$])\d+/g) ?? []).some((port) => Number(port) > 65_535),
      ),
  ),
  commandRule(
    {
      code: 'DL3046',
      severity: 'warning',
      title: '`useradd` with a high UID writes a huge, sparse log of logins: add `-l`.',
    },
    (command) =>
      command.name === 'useradd' &&
      !hasFlag(command, 'l', 'no-log-init') &&
      command.args.some((arg, index) => isHighUid(arg, command.args[index - 1])),
  ),
  commandRule(
    {
      code: 'DL3047',
      severity: 'info',
      title: 'wget fills the build log with its progress: add `--progress=dot:giga`, or `-q`.',
    },
    (command) =>
      command.name === 'wget' &&
      !hasFlag(
        command,
        'progress',
        'q',
        'quiet',
        'nv',
        'no-verbose',
        'o',
        'output-file',
        'a',
        'append-output',
      ) &&
      !command.args.includes('-nv'),
  ),
  {
    code: 'DL3059',
    severity: 'info',
    title: 'Several RUN instructions in a row: one would make fewer layers.',
    check: ({ stages, runs }) => stages.flatMap((stage) => runsAfterRuns(stage, runs)),
  },
  {
    code: 'DL3061',
    severity: 'error',
    title: 'A Dockerfile begins with FROM, ARG or a comment.',
    check: ({ dockerfile }) => tooEarly(dockerfile),
  },
  instructionRule(
    { code: 'DL4000', severity: 'error', title: 'MAINTAINER is deprecated: use a label.' },
    ({ instruction }) => instruction.keyword === 'MAINTAINER',
  ),
  {
    code: 'DL4001',
    severity: 'warning',
    title: 'Use wget or curl, not both in one image.',
    check: ({ runs }) => bothDownloaders(runs),
  },
  commandRule(
    {
      code: 'DL4005',
      severity: 'warning',
      title: 'Change the shell with SHELL, not with a link over /bin/sh.',
    },
    (command) => command.name === 'ln' && hasArg(command, '/bin/sh'),
  ),
  runRule(
    {
      code: 'DL4006',
      severity: 'warning',
      title: 'A failure left of a pipe goes unseen: set a SHELL with `-o pipefail` before this RUN.',
    },
    hidesFailures,
  ),
];

const LONGEST_FINE_UID = 5;

function isHighUid(arg: string, before: string | undefined): boolean {
  const inline = /^--uid=(.*)$/.exec(arg)?.[1];
  const uid = inline ?? (before === '-u' || before === '--uid' ? arg : '');
  return uid.length > LONGEST_FINE_UID;
}
