import type { CopyInstruction } from '@updraft/dockerfile';
import { hasFlag } from '../../shell/commands.ts';
import type { Command } from '../../shell/commands.ts';
import { lineage } from '../context.ts';
import type { LintStage, Located, RuleContext } from '../context.ts';
import { instructionRule, toComplaint } from '../rule.ts';
import type { Rule } from '../rule.ts';
import { ARCHIVE, baseName, isAbsoluteOrVariable, unquoted } from '../text.ts';

function isCopy(located: Located): located is Located<CopyInstruction> {
  return located.instruction.keyword === 'COPY';
}

/** What `--from` names, without quotes. */
function copyFrom({ flags }: CopyInstruction): string | undefined {
  const value = flags.find(({ name }) => name === 'from')?.value;
  return value === undefined ? undefined : unquoted(value);
}

function pathSources({ sources }: CopyInstruction): readonly string[] {
  return sources.flatMap((source) => (source.kind === 'path' ? [unquoted(source.word.text)] : []));
}

const UNPACKERS = ['unzip', 'gunzip', 'bunzip2', 'unlzma', 'unxz', 'zgz', 'uncompress', 'zcat', 'gzcat'];

function unpacks(command: Command): boolean {
  if (UNPACKERS.includes(command.name)) return true;
  if (command.name !== 'tar') return false;
  return hasFlag(command, 'x', 'extract', 'get') || /^[A-Za-z]*x/.test(command.args[0] ?? '');
}

function archiveNames(copy: CopyInstruction): readonly string[] {
  // COPY divides at blanks, so a quoted path with blanks leaves its quotes in its first and last part.
  const names = [...pathSources(copy), copy.target.text].map((path) => baseName(path.replace(/["']$/, '')));
  return names.filter((name) => ARCHIVE.test(name));
}

function isUnpackedLater({ runs }: RuleContext, located: Located<CopyInstruction>): boolean {
  const names = archiveNames(located.instruction);
  if (names.length === 0 || copyFrom(located.instruction) !== undefined) return false;
  return runs
    .filter((run) => run.stage === located.stage && run.line > located.line)
    .some((run) =>
      run.commands.some(
        (command) => unpacks(command) && command.args.some((arg) => names.includes(baseName(arg))),
      ),
    );
}

function addsPlainFile({ instruction }: Located): boolean {
  if (instruction.keyword !== 'ADD') return false;
  return pathSources(instruction).some(
    (source) => !ARCHIVE.test(source) && !/^(?:https?:\/\/|git@)/.test(source),
  );
}

function needsFolder({ instruction }: Located): boolean {
  if (instruction.keyword !== 'COPY' || instruction.sources.length < 2) return false;
  return !unquoted(instruction.target.text).endsWith('/');
}

function namesUnknownStage(
  { stages }: RuleContext,
  { instruction, stage }: Located<CopyInstruction>,
): boolean {
  const from = copyFrom(instruction);
  // Something with a tag is an image of somewhere else.
  if (from === undefined || from.includes(':')) return false;
  const earlier = stages.filter(({ index, from: start }) => start !== undefined && index < stage.index);
  if (/^\d+$/.test(from)) return Number(from) >= earlier.length;
  return !earlier.some(({ name }) => name === from.toLowerCase()) && from.toLowerCase() !== stage.name;
}

function namesItself({ instruction, stage }: Located): boolean {
  if (instruction.keyword !== 'COPY') return false;
  const from = copyFrom(instruction)?.toLowerCase();
  return from !== undefined && from === stage.name;
}

function hasWorkdir(stage: LintStage, before: number): boolean {
  return lineage(stage).some((ancestor) =>
    ancestor.instructions.some(
      ({ instruction, line }) => instruction.keyword === 'WORKDIR' && (ancestor !== stage || line < before),
    ),
  );
}

function isLostCopy({ instruction, stage, line }: Located): boolean {
  if (instruction.keyword !== 'COPY' || isAbsoluteOrVariable(instruction.target.text)) return false;
  return !hasWorkdir(stage, line);
}

export const FILE_RULES: readonly Rule[] = [
  {
    code: 'DL3010',
    severity: 'info',
    title: 'ADD unpacks a local archive by itself; COPY and unpacking leave the archive in a layer.',
    check: (context) =>
      context.instructions
        .filter(isCopy)
        .filter((copy) => isUnpackedLater(context, copy))
        .map(toComplaint),
  },
  instructionRule(
    {
      code: 'DL3020',
      severity: 'error',
      title: 'Use COPY for plain files and folders; ADD is for archives and URLs.',
    },
    addsPlainFile,
  ),
  instructionRule(
    {
      code: 'DL3021',
      severity: 'error',
      title: 'With several sources the target of COPY has to be a folder: end it with `/`.',
    },
    needsFolder,
  ),
  {
    code: 'DL3022',
    severity: 'warning',
    title: '`COPY --from` names no earlier stage.',
    check: (context) =>
      context.instructions
        .filter(isCopy)
        .filter((copy) => namesUnknownStage(context, copy))
        .map(toComplaint),
  },
  instructionRule(
    { code: 'DL3023', severity: 'error', title: '`COPY --from` names the stage it stands in.' },
    namesItself,
  ),
  instructionRule(
    {
      code: 'DL3045',
      severity: 'warning',
      title: 'COPY to a relative path with no WORKDIR set lands wherever the base image decides.',
    },
    isLostCopy,
  ),
];
